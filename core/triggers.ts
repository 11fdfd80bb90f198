import type { BuildId, BuildsetId, Result, Triggered, TriggerOrder } from 'boltbot/plugin-sdk'
import { buildsetUnknown, triggeredNothing } from './errors.ts'
import type { Scheduling } from './scheduling.ts'
import { readBuildsetResult } from './store/buildsets.ts'
import type { Store, StoredEvent } from './store/store.ts'

/** Lets steps ask schedulers for builds, and tells them when those have ended. */
export interface Triggers {
  /** For one step of a build. */
  of(parent: TriggeringStep): (order: TriggerOrder) => Promise<Triggered>
  /** Resolves when the buildset has ended. @throws the signal's reason when it aborts first; CiError when there is no such buildset. */
  waitFor(buildset: BuildsetId, signal?: AbortSignal): Promise<Result>
  /** What running steps wait for. */
  waits(): readonly TriggerWait[]
  /** Events of the journal, in order. */
  deliver(events: readonly StoredEvent[]): void
}

export interface TriggerWait {
  readonly build: BuildId
  readonly buildset: BuildsetId
}

export interface TriggeringStep {
  readonly id: BuildId
  /** `full #12`. */
  readonly build: string
  /** Names its orders, the same over restarts: an order that was heard before is not given again. */
  readonly key: string
  /** Ends what the step waits for. */
  readonly signal: AbortSignal
  /** Tells others what the build waits for while it holds its slave and its locks; `null`: for nothing any more. */
  note(text: string | null): void
}

export interface TriggersDeps {
  readonly store: Store
  readonly scheduling: Pick<Scheduling, 'trigger'>
  /** A step has begun to wait. */
  readonly waiting: () => void
}

export function createTriggers({ store, scheduling, waiting: began }: TriggersDeps): Triggers {
  const waits = new Set<TriggerWait>()
  const awaited = new Map<BuildsetId, Set<PromiseWithResolvers<Result>>>()

  async function end(buildset: BuildsetId, signal?: AbortSignal): Promise<Result> {
    const ended = Promise.withResolvers<Result>()
    ended.promise.catch(() => {}) // an abort may come while the store is read, before anybody listens
    const waiting = awaited.getOrInsertComputed(buildset, () => new Set())
    waiting.add(ended)
    const abort = () => ended.reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      signal?.throwIfAborted()
      // It may have ended before anybody waited.
      const stored = await readBuildsetResult(store.db, buildset)
      if (stored === undefined) throw buildsetUnknown(buildset)
      return stored ?? (await ended.promise)
    } finally {
      signal?.removeEventListener('abort', abort)
      waiting.delete(ended)
      if (waiting.size === 0) awaited.delete(buildset)
    }
  }

  return {
    waitFor: end,
    waits: () => [...waits],
    of({ id, build, key: stepKey, signal, note }) {
      let orders = 0
      const waitsFor = new Map<symbol, string>()
      const renew = () => note(waitsFor.size === 0 ? null : `which waits for ${[...waitsFor.values()].join(', ')}`)
      return async ({ scheduler, wait = false, sourceStamp = {}, properties = {}, reason }) => {
        signal.throwIfAborted()
        const key = Symbol(scheduler)
        const done = () => {
          waitsFor.delete(key)
          renew()
        }
        // Before the builds are queued: why they wait is worked out at once.
        if (wait) waitsFor.set(key, `scheduler "${scheduler}"`)
        renew()
        try {
          const triggerKey = `${stepKey}.${orders++}`
          const order = { reason: reason ?? `triggered by ${build}`, sourceStamp, properties, key: triggerKey }
          const created = (await scheduling.trigger(scheduler, order))[0]
          if (created === undefined) throw triggeredNothing(scheduler)
          const one = { build: id, buildset: created.buildset }
          if (wait) {
            waits.add(one)
            began()
          }
          const finished = end(created.buildset, signal).finally(() => {
            waits.delete(one)
            done()
          })
          finished.catch(() => {}) // not every step waits
          return { ...created, finished }
        } catch (error) {
          done()
          throw error
        }
      }
    },
    deliver(events) {
      for (const { name, event } of events) {
        if (name !== 'buildsetFinished') continue
        for (const waiting of awaited.get(event.buildset) ?? []) waiting.resolve(event.result)
      }
    },
  }
}
