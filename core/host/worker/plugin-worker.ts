import type { Clock, Host, Log, Random } from 'boltbot/plugin-sdk'
import type { PluginSpec, WorkerSpec } from '../../config/model.ts'
import { backOff } from '../back-off.ts'
import { type CrashLimits, createCrashBudget } from '../crash-budget.ts'
import { withDeadline } from '../deadline.ts'
import { hostStopped, pluginSuspended, startDeadline } from '../errors.ts'
import type { PaceLimits } from '../pace.ts'
import { manifestChanged } from './errors.ts'
import { createHostCalls } from './host-calls.ts'
import type { Manifest } from './messages.ts'
import { openPluginThread, type PluginThread } from './plugin-thread.ts'
import type { CallOptions } from './rpc.ts'
import type { Threads } from './threads.ts'
import type { WatchLimits } from './watch.ts'

/** A plugin in a thread of its own: cut off when it runs away, started again after a while, given up when that happens too often. */
export interface PluginWorker extends AsyncDisposable {
  readonly manifest: Manifest
  /** How often its thread was cut off or ended. */
  readonly restarts: number
  /** False: it is being started again, or was given up. */
  isUp(): boolean
  /**
   * Calls it; while it is being started again, waits for that. Rejects with what it threw, with the reason when it is cut off meanwhile,
   * and with `BOLT_HOST_SUSPENDED` when it was given up.
   */
  call(what: string, method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>
  /** @throws what `start` of the plugin threw. */
  start(): Promise<void>
  /** True when it took them. */
  reconfigure(next: object): Promise<boolean>
  /** The same plugin of a config that was read again. */
  renew(place: WorkerSpec): void
  /** Ends its thread for good, until `resume`. */
  cutOff(reason: Error): void
  /** Begins anew with one that was given up. */
  resume(): void
}

export interface PluginWorkerDeps {
  readonly spec: PluginSpec & { readonly worker: WorkerSpec }
  readonly host: Host
  readonly clock: Clock
  readonly time: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: WorkerLimits
  readonly startMs: number
  readonly disposeMs: number
  readonly threads?: Threads | undefined
  /** Something of the plugin failed outside of a call. */
  readonly failed: (error: unknown) => void
  /** It was given up. */
  readonly suspended: (reason: Error) => void
  /** Aborted when the master stops: a thread that is being started is not waited for. */
  readonly stopping: AbortSignal
}

export interface WorkerLimits extends WatchLimits {
  /** How often it may be cut off before it is given up. */
  readonly ends: CrashLimits
  /** How often it may ask the master for what is only looked up. */
  readonly calls: PaceLimits
  /** And for what is stored or done. */
  readonly writes: PaceLimits
}

/** Resolves when the plugin's `apply` has run in its thread. @throws what kept it from that; then no thread is left. */
export async function openPluginWorker(deps: PluginWorkerDeps): Promise<PluginWorker> {
  const { spec, host, clock, time, random, log, limits, startMs, disposeMs, stopping } = deps
  const { id } = spec
  const underWay = new Map<symbol, string>()
  const during = () => [...new Set(underWay.values())]
  const budget = createCrashBudget(clock, limits.ends)
  let options = spec.options
  let place = spec.worker
  let manifest: Manifest | undefined
  let hasStarted = false
  let isOver = false
  let isSuspended = false
  /** Since it was loaded or resumed: for the back-off. */
  let ends = 0
  let total = 0
  let thread: PluginThread | undefined
  let up = Promise.withResolvers<PluginThread>()
  up.promise.catch(() => {}) // told to whoever calls
  let pause: Disposable | undefined

  const inTime = (promise: Promise<unknown>) =>
    withDeadline(promise, { clock: time, ms: startMs, late: () => startDeadline(id, startMs), signal: stopping })

  const begin = async (): Promise<PluginThread> => {
    const calls = createHostCalls({
      host,
      fire: (timer) => made.tell('fire', timer),
      failed: deps.failed,
      pace: limits,
    })
    const queries = Object.keys(host.query).filter((name) => name !== 'project')
    const made = openPluginThread({
      spec: { ...spec, options, worker: place },
      queries,
      isAgain: hasStarted,
      time,
      limits,
      threads: deps.threads,
      during,
      ...calls,
    })
    void made.ended.then(calls.clear)
    try {
      const loading = inTime(made.call('load', []))
      deps.threads?.during(loading)
      const noted = (await loading) as Manifest
      if (manifest !== undefined && JSON.stringify(noted) !== JSON.stringify(manifest)) throw manifestChanged(id)
      manifest = noted
      made.watch()
      if (hasStarted) await inTime(made.call('start', []))
    } catch (error) {
      made.kill(error as Error) // errors come from another thread, so they are errors
      throw error
    }
    return made
  }
  const serve = (made: PluginThread) => {
    const since = clock.now()
    thread = made
    up.resolve(made)
    void made.ended.then((reason) => {
      if (thread !== made || isOver) return
      thread = undefined
      up = Promise.withResolvers<PluginThread>()
      up.promise.catch(() => {}) // as above
      // What was up for so long had mended: one that is cut off once a week is not given up after some weeks.
      if (clock.now() - since > limits.ends.windowMs) forgetEnds()
      again(reason)
    })
  }
  const forgetEnds = () => {
    budget.reset()
    ends = 0
  }
  const giveUp = () => {
    isSuspended = true
    pause?.[Symbol.dispose]()
    up.reject(pluginSuspended(id))
  }
  const again = (reason: Error) => {
    if (isOver) return
    ends++
    total++
    if (budget.failed()) {
      giveUp()
      deps.suspended(reason)
      return
    }
    const ms = backOff(ends, random)
    log.error('plugin cut off, it will be started again', { error: reason, inMs: Math.round(ms) })
    pause = clock.timer(ms, () => void restart())
  }
  const restart = async () => {
    try {
      const made = await begin()
      if (isOver || isSuspended) return made.kill(hostStopped(id))
      serve(made)
      log.info('plugin started again in a new worker')
    } catch (error) {
      again(error as Error) // as above
    }
  }
  const call: PluginWorker['call'] = async (what, method, args, callOptions) => {
    const flight = Symbol(what)
    const { signal } = callOptions ?? {}
    const made = thread ?? (await untilUp(up.promise, signal))
    underWay.set(flight, what)
    try {
      return await made.call(method, args, callOptions)
    } finally {
      underWay.delete(flight)
    }
  }

  serve(await begin())
  host.signal.addEventListener('abort', () => thread?.tell('end', packReason(host.signal.reason)), { once: true })
  return {
    manifest: manifest!, // begin() has set it
    get restarts() {
      return total
    },
    isUp: () => thread !== undefined,
    call,
    async start() {
      await call('start', 'start', [])
      hasStarted = true
    },
    async reconfigure(next) {
      if ((await call('reconfigure', 'reconfigure', [next])) !== true) return false
      options = next
      return true
    },
    renew(next) {
      place = next
    },
    cutOff(reason) {
      if (isSuspended || isOver) return
      const last = thread
      thread = undefined
      up = Promise.withResolvers<PluginThread>()
      up.promise.catch(() => {}) // as above
      giveUp()
      last?.kill(reason)
    },
    resume() {
      forgetEnds()
      if (!isSuspended) return
      isSuspended = false
      up = Promise.withResolvers<PluginThread>()
      up.promise.catch(() => {}) // as above
      void restart()
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      pause?.[Symbol.dispose]()
      up.reject(hostStopped(id))
      const last = thread
      thread = undefined
      if (last === undefined) return
      const late = () => hostStopped(id)
      try {
        await withDeadline(last.call('close', []), { clock: time, ms: disposeMs, late })
      } finally {
        last.kill(hostStopped(id))
      }
    },
  }
}

async function untilUp<T>(up: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return up
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([up, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** As `end` of worker-main.ts makes an error of it. */
function packReason({ code, message, hint }: { code: string; message: string; hint?: string }) {
  return { code, message, ...(hint !== undefined && { hint }) }
}
