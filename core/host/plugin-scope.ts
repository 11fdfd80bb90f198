import {
  type BuildView,
  CiError,
  type Clock,
  heedDeprecations,
  type Log,
  limitHost,
  messageOf,
  type Need,
  type Random,
} from 'boltbot/plugin-sdk'
import type { PluginSpec } from '../config/model.ts'
import type { Hooks } from '../hooks.ts'
import type { CrashLimits } from './crash-budget.ts'
import { withDeadline } from './deadline.ts'
import type { JournalEvent, JournalReader } from './durable-reader.ts'
import {
  applyAsync,
  applyFailed,
  hostStopped,
  notDisposable,
  reconfigureDeadline,
  startDeadline,
  startThrew,
} from './errors.ts'
import { createLiveOptions } from './live-options.ts'
import type { Meter } from './meter.ts'
import { createOwnedThings, isDisposable } from './owned-things.ts'
import { createPluginClock } from './plugin-clock.ts'
import { createPluginMembers } from './plugin-members.ts'
import type { HostPowers, PowerScope } from './plugin-powers.ts'
import { createPluginTaps, type TapStatus } from './plugin-taps.ts'
import type { SharedThings } from './shared-things.ts'
import type { Turns } from './turns.ts'
import { loadInWorker } from './worker/load.ts'
import type { PluginWorker, WorkerLimits } from './worker/plugin-worker.ts'
import { createRemotePlugin } from './worker/remote-plugin.ts'
import type { Threads } from './worker/threads.ts'

/**
 * One plugin, from apply to stop. It goes once through `load` → `apply` → `activate` → `start` → `run` → `stop` → `release`, in this order;
 * `stop` may come after any of them, and more than once. A plugin that is started again gets a new scope.
 */
export interface PluginScope {
  readonly spec: PluginSpec
  /** Loads it in its worker, if it has one. @throws CiError what kept it from being loaded. */
  load(): Promise<void>
  /** Lets it tap and register; nothing takes effect yet. @throws CiError `BOLT_HOST_APPLY`. */
  apply(): void
  /** Its taps take effect: it refines, chooses and guards; what it observes waits in the mailbox. */
  activate(): Promise<void>
  /** @throws CiError `BOLT_HOST_START`, `BOLT_HOST_START_DEADLINE`. */
  start(): Promise<void>
  /** Its schedulers and pollers begin. */
  run(): void
  /** Offers it new options; true when it took them. Never rejects: a plugin that fails here is started anew. */
  reconfigure(next: PluginSpec): Promise<boolean>
  /** Puts in the functions of options with the same data. */
  swap(next: PluginSpec): void
  /** What it would tell of a build; `undefined`: it has no preview. */
  preview(build: BuildView): Promise<string | null> | undefined
  stop(): Promise<void>
  /** Lets go of what `stop` keeps closed: its guards. */
  release(): void
  resume(): void
  wake(events?: readonly JournalEvent[]): void
  status(): PluginStatus
}

export interface PluginStatus extends TapStatus {
  readonly id: string
  /** The definition's name: `status/mail`. */
  readonly name: string
  readonly kind: PluginSpec['kind']
  /** Of its package; `null`: it lives beside the config. */
  readonly version: string | null
  readonly durable: boolean
  /** What it says it needs of the host. */
  readonly needs: readonly Need[]
  readonly isolation: 'none' | 'worker'
  /** How often its worker was cut off or ended since it was loaded. */
  readonly restarts: number
  readonly state: 'new' | 'applied' | 'starting' | 'started' | 'running' | 'stopping' | 'stopped'
}

export interface PluginScopeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly hooks: Hooks
  readonly turns: Turns
  readonly meter: Meter
  readonly journal: JournalReader
  readonly powers: (id: string, scope: PowerScope) => HostPowers
  readonly shared: SharedThings
  readonly limits: PluginLimits
  /** Aborted when the master stops: a start under way is not waited for. */
  readonly stopping: AbortSignal
  readonly threads?: Threads | undefined
}

export interface PluginLimits {
  /** For one call of a tap. */
  readonly tapMs: number
  readonly startMs: number
  /** For what is under way and in the mailbox at stop. */
  readonly drainMs: number
  /** For each owned thing to close. */
  readonly disposeMs: number
  /** Events in one mailbox. */
  readonly mailbox: number
  readonly crash: CrashLimits
  /** A tap that keeps the event loop to itself for so long has its plugin suspended. */
  readonly blockMs: number
  /** As one that takes so much memory at one go. */
  readonly leakBytes: number
  readonly worker: WorkerLimits
}

export function createPluginScope(first: PluginSpec, deps: PluginScopeDeps): PluginScope {
  const { id, kind } = first
  const { clock, limits } = deps
  const log = deps.log.child({ plugin: id })
  const { durable = false, needs = [] } = first.definition
  const taps = createPluginTaps({ ...deps, plugin: id, durable, log, suspended: (reason) => worker?.cutOff(reason) })
  const live = createLiveOptions(first.options)
  const ending = new AbortController()
  const owned = createOwnedThings({ plugin: id, clock, log, ms: limits.disposeMs })
  const pluginClock = createPluginClock(id, clock, (error) => taps.failed('timer', error))
  owned.keep(pluginClock, 'its clock')
  /** What runs: the definition itself, or what stands for it while it runs in a worker. */
  let definition = first.definition
  let worker: PluginWorker | undefined
  let spec = first
  let options = live.options
  let state: PluginStatus['state'] = 'new'
  let stopped: Promise<void> | undefined

  const members = createPluginMembers({
    plugin: id,
    clock,
    log,
    pluginClock,
    signal: ending.signal,
    taps,
    powers: deps.powers(id, { id, kind, log, clock: pluginClock, signal: ending.signal }),
    shared: deps.shared,
    owned,
    deadlineMs: limits.tapMs,
    isStopped: () => state === 'stopped',
  })
  const host = heedDeprecations(
    limitHost(members.host, { plugin: id, needs, options: () => options }),
    first.definition,
    log,
  )

  const resume = () => {
    taps.resume()
    worker?.resume()
  }
  const take = (next: PluginSpec) => {
    spec = next
    if (next.worker !== null) worker?.renew(next.worker)
  }
  const stop = async () => {
    state = 'stopping'
    ending.abort(hostStopped(id))
    const unfinished = await taps.close(limits.drainMs)
    if (unfinished.length > 0) log.warn('plugin stopped with events it was not told', { hooks: unfinished })
    await owned.closeAll()
    state = 'stopped'
  }

  return {
    get spec() {
      return spec
    },
    async load() {
      if (first.worker === null) return
      worker = await loadInWorker({ ...first, worker: first.worker }, { ...deps, host, taps, log })
      owned.keep(worker, 'its worker')
      definition = createRemotePlugin(first.definition, worker)
    },
    apply() {
      try {
        const given: unknown = members.applying(() => definition.apply(host, options as never)) // the factory tied both
        if (given instanceof Promise) {
          given.catch(() => {}) // it is refused, whatever comes of it
          throw applyAsync(id)
        }
        state = 'applied'
      } catch (error) {
        throw isHostError(error) ? error : applyFailed(id, error)
      }
    },
    activate: () => taps.activate(),
    async start() {
      state = 'starting'
      if (definition.start) {
        const opening = Promise.try(() => definition.start?.(host, options as never)) // as above
        const late = () => startDeadline(id, limits.startMs)
        try {
          const opened = await withDeadline(opening, { clock, ms: limits.startMs, late, signal: deps.stopping })
          if (isDisposable(opened)) owned.keep(opened, 'what start returned')
          else if (opened !== undefined) throw notDisposable(id, 'returned something from start')
        } catch (error) {
          opening.then(
            (opened) => (isDisposable(opened) ? owned.close(opened, 'what start returned too late') : undefined),
            () => {}, // told below, or nobody waits for it any more
          )
          throw isHostError(error) ? error : startThrew(id, error)
        }
      }
      state = 'started'
      taps.open()
    },
    run() {
      members.run()
      state = 'running'
    },
    async reconfigure(next) {
      if (!definition.reconfigure) return false
      const renewed = live.renew(next.options)
      try {
        const taking = Promise.try(() => definition.reconfigure?.(host, renewed as never, options as never)) // as above
        const ms = limits.startMs
        const late = () => reconfigureDeadline(id, ms)
        if ((await withDeadline(taking, { clock, ms, late, signal: deps.stopping })) !== true) return false
      } catch (error) {
        log.warn('plugin failed to take new options, it is started anew', { error: messageOf(error) })
        return false
      }
      take(next)
      options = renewed
      resume()
      return true
    },
    swap(next) {
      live.swap(next.options)
      take(next)
    },
    preview: (build) => definition.preview?.(host, options as never, build), // as above
    stop: () => (stopped ??= stop()),
    release: () => taps.release(),
    resume,
    wake: (events) => taps.wake(events),
    status: () => ({
      id,
      name: first.definition.name,
      kind,
      version: first.version,
      durable,
      needs,
      isolation: first.worker === null ? 'none' : 'worker',
      restarts: worker?.restarts ?? 0,
      state,
      ...taps.status(),
    }),
  }
}

/** It says already which plugin did what. */
function isHostError(error: unknown): boolean {
  return error instanceof CiError && /^BOLT_(HOST|HOOKS|HTTP)_/.test(error.code)
}
