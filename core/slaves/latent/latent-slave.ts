import { randomBytes } from 'node:crypto'
import { type Clock, type InstanceKey, type LatentEngine, type Log, messageOf } from 'boltbot/plugin-sdk'
import type { LatentSpec } from '../../config/model.ts'
import { type InstanceRecord, type InstanceState, instanceFailed, keepInstance } from '../../store/instances.ts'
import type { Store } from '../../store/store.ts'
import { instanceNotFound, instanceNotStarted } from '../errors.ts'

/**
 * One latent slave. States, with these exits only:
 * - *latent*: there is no instance. → *substantiating* (a build wants it, and it is not quarantined)
 * - *substantiating*: the engine is asked for an instance, or was and the agent is not here yet, or not here again.
 *   → *attached* (it logged in) · *insubstantiating* (it did not come in time, or ended by itself)
 * - *attached*: the agent is linked; it builds or idles. → *substantiating* (the link is lost) · *insubstantiating* (idle for
 *   `buildWaitTimeout`, older than `maxLifetime`, gone from the config)
 * - *insubstantiating*: the engine is told to end it, again and again until it did. → *latent*
 *
 * An instance that does not come puts its slave into quarantine: nothing is tried for a while, which doubles with each failure.
 */
export interface LatentSlave {
  readonly state: 'latent' | 'substantiating' | 'attached' | 'insubstantiating'
  /** Until when nothing is tried after failures; `why` the last one failed, when that was in this process. */
  readonly quarantine: { readonly until: number; readonly why: string | undefined }
  /** The password of the present instance. */
  readonly password: string | undefined
  readonly epoch: number
  /** Resolves when an agent is attached; orders an instance if there is none. @throws CiError `BOLT_SLAVES_NOT_STARTED`. */
  substantiate(request: number): Promise<void>
  /** An earlier process left it so: looks up what came of it. */
  recover(record: InstanceRecord): Promise<void>
  attached(): void
  /** `final`: nobody waits for it to come back. */
  lost(reason: string, final: boolean): void
  /** Its work changed: `true` when it has none. */
  idle(idle: boolean): void
  /** The engine says that the instance is gone. */
  gone(reason: string): void
  /** Ends the instance, whatever it does. */
  end(reason: string): void
  /** Lets those who wait for it go; the instance stays for the next process. */
  stop(reason: Error): void
}

export interface LatentSlaveDeps {
  readonly name: string
  readonly master: string
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** `undefined`: it is no longer latent. */
  readonly spec: () => (LatentSpec & { readonly startMs: number; readonly notify: readonly string[] }) | undefined
  readonly engine: (plugin: string) => LatentEngine | undefined
  readonly leaseMs: () => number
  /** Asks the agent to exit, or (`hard`) breaks its link: builds there are lost. */
  readonly close: (reason: string, hard: boolean) => void
  /** Builders that use it may try again. */
  readonly changed: () => void
}

const QUARANTINE_MS = 30_000
const MAX_QUARANTINE_MS = 3_600_000
const CANCEL_AGAIN_MS = 60_000

export function createLatentSlave(deps: LatentSlaveDeps): LatentSlave {
  const { name, store, clock, log } = deps
  let state: LatentSlave['state'] = 'latent'
  let record: InstanceRecord | undefined
  let coming: PromiseWithResolvers<void> | undefined
  /** The present instance has been attached. */
  let arrived = false
  let failure: string | undefined
  let stopped = false
  const timers: {
    come?: Disposable
    idle?: Disposable
    life?: Disposable
    quarantine?: Disposable
    again?: Disposable
  } = {}
  const clear = (...which: (keyof typeof timers)[]) => {
    for (const one of which) timers[one]?.[Symbol.dispose]()
  }
  const keyOf = ({ epoch, request }: InstanceRecord): InstanceKey => ({
    master: deps.master,
    slave: name,
    request,
    epoch,
  })

  async function keep(next: Partial<InstanceRecord> & { readonly state: InstanceState }): Promise<void> {
    record = { ...record!, ...next }
    await keepInstance(store, record)
  }

  /** Waits for the agent, so long at most. */
  function expect(ms: number, why: string): Promise<void> {
    state = 'substantiating'
    const wait = (coming = Promise.withResolvers<void>())
    wait.promise.catch(() => {}) // it may be that nobody waits
    clear('come')
    if (!stopped) timers.come = clock.timer(ms, () => failed(why))
    return wait.promise
  }

  async function order(request: number): Promise<void> {
    const spec = deps.spec()
    const engine = spec && deps.engine(spec.engine)
    if (spec === undefined || engine === undefined) throw instanceNotStarted(name, `no plugin "${spec?.engine}" runs`)
    clear('quarantine')
    const since = clock.now()
    const epoch = (record?.epoch ?? 0) + 1
    const password = randomBytes(24).toString('base64url')
    const failures = record?.failures ?? 0
    const minutes = Math.round(spec.startMs / 60_000)
    const arrival = expect(spec.startMs, `its instance did not log in within ${minutes} min`)
    arrived = false
    record = {
      slave: name,
      engine: spec.engine,
      epoch,
      request,
      state: 'submitting',
      password,
      since,
      failures,
      notBefore: 0,
    }
    const mine = record
    const isWaited = () => record?.epoch === epoch && state === 'substantiating' && !stopped
    const work = async () => {
      await keepInstance(store, mine)
      log.info('latent slave ordered', { slave: name, epoch, request, engine: spec.engine })
      try {
        await engine.submit({ slave: name, password, settings: spec.settings }, keyOf(mine))
      } catch (error) {
        // The order may have arrived all the same.
        const found = await engine.find(keyOf(mine)).catch(() => false)
        if (!found) throw error
      }
      if (isWaited() || (record?.epoch === epoch && state === 'attached')) await keep({ state: 'started' })
    }
    work().catch((error: unknown) => {
      if (isWaited()) failed(messageOf(error))
    })
    return arrival
  }

  /** It did not come: it is cancelled, and left alone for a while. */
  function failed(why: string): void {
    // One that was here did start: losing it is no reason to leave its slave alone.
    if (arrived) {
      insubstantiate(why)
      return
    }
    const spec = deps.spec()
    const failures = (record?.failures ?? 0) + 1
    failure = why
    const pause = Math.min(QUARANTINE_MS * 2 ** (failures - 1), MAX_QUARANTINE_MS)
    record = { ...record!, state: 'ending', failures, notBefore: clock.now() + pause }
    log.warn('latent slave did not start', { slave: name, why, failures, pauseMs: pause })
    const notify = spec?.notify ?? []
    instanceFailed(store, record, { reason: why, notify }).catch((error: unknown) =>
      log.error('failure of a latent slave not stored', { slave: name, error }),
    )
    settleQuarantine()
    insubstantiate(why)
  }

  function settleQuarantine(): void {
    const left = (record?.notBefore ?? 0) - clock.now()
    clear('quarantine')
    if (left <= 0 || stopped) return
    // Its end is a moment of the wall clock, which may have been set back meanwhile.
    timers.quarantine = clock.timer(left, () => {
      settleQuarantine()
      deps.changed()
    })
  }

  function insubstantiate(why: string, hard = true): void {
    if (state === 'latent' || state === 'insubstantiating') return
    state = 'insubstantiating'
    deps.close(why, hard)
    clear('come', 'idle', 'life')
    coming?.reject(instanceNotStarted(name, why))
    coming = undefined
    log.info('latent slave is ended', { slave: name, epoch: record?.epoch, why })
    deps.changed()
    void cancel()
  }

  async function cancel(again = CANCEL_AGAIN_MS): Promise<void> {
    const ending = record!
    try {
      if (ending.state !== 'ending') await keep({ state: 'ending' })
      const engine = deps.engine(ending.engine)
      if (engine === undefined) throw instanceNotFound(name, ending.engine)
      await engine.cancel(keyOf(ending))
      if (stopped) return
      await keep({ state: 'none' })
      state = 'latent'
      deps.changed()
    } catch (error) {
      if (stopped) return
      log.warn('latent slave not ended', { slave: name, error })
      timers.again = clock.timer(again, () => void cancel(Math.min(again * 2, MAX_QUARANTINE_MS)))
    }
  }

  function watchLife(): void {
    const limit = deps.spec()?.maxLifetimeMs ?? null
    clear('life')
    if (limit === null) return
    timers.life = clock.timer(Math.max(0, record!.since + limit - clock.now()), () =>
      insubstantiate('it reached its maxLifetime'),
    )
  }

  return {
    get state() {
      return state
    },
    get quarantine() {
      return { until: record?.notBefore ?? 0, why: failure }
    },
    get password() {
      return state === 'latent' || state === 'insubstantiating' ? undefined : record?.password
    },
    get epoch() {
      return state === 'latent' ? 0 : (record?.epoch ?? 0)
    },
    async substantiate(request) {
      if (state === 'attached') return
      if (state === 'insubstantiating') throw instanceNotStarted(name, 'its last instance is being ended')
      await (coming?.promise ?? order(request))
    },
    async recover(found) {
      record = found
      if (found.state === 'none') return settleQuarantine()
      if (found.state === 'ending') {
        state = 'insubstantiating'
        settleQuarantine()
        return void cancel()
      }
      const spec = deps.spec()
      const engine = deps.engine(found.engine)
      // What cannot be asked now is waited for as if it were there.
      const isThere = (await engine?.find(keyOf(found)).catch(() => true)) ?? true
      if (stopped || state === 'attached') return
      if (!isThere) {
        log.info('instance of a latent slave is gone', { slave: name, epoch: found.epoch })
        return keep({ state: 'none' })
      }
      if (found.state === 'submitting') await keep({ state: 'started' })
      if (stopped) return
      const left = Math.max(found.since + (spec?.startMs ?? 0) - clock.now(), deps.leaseMs())
      arrived = true
      void expect(left, 'its instance did not come back after a restart of the master')
      if (spec === undefined) insubstantiate('it is no longer in the config')
    },
    attached() {
      state = 'attached'
      arrived = true
      clear('come')
      coming?.resolve()
      coming = undefined
      if (record !== undefined && record.failures > 0)
        keep({ state: 'started', failures: 0, notBefore: 0 }).catch((error: unknown) =>
          log.warn('start of a latent slave not stored', { slave: name, error }),
        )
      watchLife()
    },
    lost(reason, final) {
      if (state !== 'attached') return
      clear('idle')
      if (final) insubstantiate(reason)
      else void expect(deps.leaseMs(), `its link was lost and it did not come back: ${reason}`)
    },
    idle(isIdle) {
      clear('idle')
      const spec = deps.spec()
      if (!isIdle || state !== 'attached' || spec === undefined || stopped) return
      timers.idle = clock.timer(spec.buildWaitTimeoutMs, () => insubstantiate('it had nothing to do', false))
    },
    gone(reason) {
      if (state === 'substantiating') failed(`its instance ended: ${reason}`)
      else insubstantiate(`its instance ended: ${reason}`)
    },
    end: (reason) => insubstantiate(reason),
    stop(reason) {
      stopped = true
      clear('come', 'idle', 'life', 'quarantine', 'again')
      coming?.reject(reason)
      coming = undefined
    },
  }
}
