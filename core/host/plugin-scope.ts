import {
  type BuildView,
  type Carrier,
  type ChatCommand,
  CiError,
  type Clock,
  type Host,
  heedDeprecations,
  type Log,
  limitHost,
  messageOf,
  type Need,
  type Poller,
  type Random,
  type SchedulerRules,
} from 'boltbot/plugin-sdk'
import type { PluginSpec } from '../config/model.ts'
import type { Hooks } from '../hooks.ts'
import type { CrashLimits } from './crash-budget.ts'
import { withDeadline } from './deadline.ts'
import type { JournalReader } from './durable-reader.ts'
import {
  applyAsync,
  applyFailed,
  disposeDeadline,
  hostStopped,
  notDisposable,
  onlyInApply,
  reconfigureDeadline,
  startDeadline,
  startThrew,
} from './errors.ts'
import { createLiveOptions } from './live-options.ts'
import { guardChatCommand } from './plugin-chat.ts'
import { createPluginClock } from './plugin-clock.ts'
import { gatePowers, type HostPowers, type PowerScope } from './plugin-powers.ts'
import { createPluginRoutes } from './plugin-routes.ts'
import { createPluginTaps, type TapStatus } from './plugin-taps.ts'
import type { SharedThings } from './shared-things.ts'

/**
 * One plugin, from apply to stop. It goes once through `apply` → `activate` → `start` → `run` → `stop` → `release`, in this order;
 * `stop` may come after any of them, and more than once. A plugin that is started again gets a new scope.
 */
export interface PluginScope {
  readonly spec: PluginSpec
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
  wake(names?: readonly string[]): void
  status(): PluginStatus
}

export interface PluginStatus extends TapStatus {
  readonly id: string
  /** The definition's name: `status/mail`. */
  readonly name: string
  readonly kind: PluginSpec['kind']
  readonly durable: boolean
  /** What it says it needs of the host. */
  readonly needs: readonly Need[]
  readonly state: 'new' | 'applied' | 'starting' | 'started' | 'running' | 'stopping' | 'stopped'
}

export interface PluginScopeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly hooks: Hooks
  readonly journal: JournalReader
  readonly powers: (id: string, scope: PowerScope) => HostPowers
  readonly shared: SharedThings
  readonly limits: PluginLimits
  /** Aborted when the master stops: a start under way is not waited for. */
  readonly stopping: AbortSignal
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
}

export function createPluginScope(first: PluginSpec, deps: PluginScopeDeps): PluginScope {
  const { id, kind, definition } = first
  const { clock, limits } = deps
  const log = deps.log.child({ plugin: id })
  const durable = definition.durable === true
  const taps = createPluginTaps({ ...deps, plugin: id, durable, log })
  const live = createLiveOptions(first.options)
  const ending = new AbortController()
  const stack = new AsyncDisposableStack()
  const pluginClock = createPluginClock(clock, (error) => taps.failed('timer', error))
  stack.use(pluginClock)
  const schedulers: SchedulerRules[] = []
  const pollers: Poller[] = []
  const chatCommands: ChatCommand[] = []
  const carriers: Carrier[] = []
  let spec = first
  let options = live.options
  let state: PluginStatus['state'] = 'new'
  let applying = false
  let stopped: Promise<void> | undefined

  const own = (thing: Disposable | AsyncDisposable, what: string) => stack.defer(() => disposeOne(thing, what))
  const disposeOne = async (thing: Disposable | AsyncDisposable, what: string) => {
    try {
      const done = Symbol.asyncDispose in thing ? thing[Symbol.asyncDispose]() : thing[Symbol.dispose]()
      await withDeadline(done, { clock, ms: limits.disposeMs, late: () => disposeDeadline(id, what, limits.disposeMs) })
    } catch (error) {
      log.error('plugin could not close something', { what, error })
    }
  }
  const inApply = (member: string) => {
    if (!applying) throw onlyInApply(id, member)
  }
  const powers = deps.powers(id, { id, kind, log, clock: pluginClock, signal: ending.signal })
  const routes = createPluginRoutes({
    plugin: id,
    clock,
    taps,
    deadlineMs: limits.tapMs,
    register: powers.http.register,
    inApply,
  })
  const whole: Host = Object.freeze({
    ...gatePowers(powers, id, () => state !== 'stopped'),
    id,
    log,
    clock: pluginClock,
    signal: ending.signal,
    own<T extends Disposable | AsyncDisposable>(thing: T): T {
      if (!isDisposable(thing)) throw notDisposable(id, 'owns something')
      if (!stack.disposed) {
        own(thing, nameOf(thing))
        return thing
      }
      void disposeOne(thing, nameOf(thing)) // too late to be owned, not too late to be closed
      throw hostStopped(id)
    },
    async share(key, open) {
      if (stack.disposed) throw hostStopped(id)
      const share = await deps.shared.take(key, open)
      whole.own(share)
      return share.thing
    },
    tap(name, tap, tapOptions) {
      inApply('tap')
      taps.add(name, tap, tapOptions)
    },
    registerScheduler(rules) {
      inApply('registerScheduler')
      schedulers.push(rules as unknown as SchedulerRules) // its state is JSON to core, whatever type the plugin gives it
    },
    http: Object.freeze({ route: routes.route, url: powers.http.url, page: powers.http.page }),
    registerPoller(poller) {
      inApply('registerPoller')
      pollers.push(poller)
    },
    registerChatCommand(command) {
      inApply('registerChatCommand')
      chatCommands.push(command)
    },
    registerCarrier(carrier) {
      inApply('registerCarrier')
      carriers.push(carrier)
    },
  } satisfies Host)
  const needs = definition.needs ?? []
  const host = heedDeprecations(limitHost(whole, { plugin: id, needs, options: () => options }), definition, log)

  const stop = async () => {
    state = 'stopping'
    ending.abort(hostStopped(id))
    const unfinished = await taps.close(limits.drainMs)
    if (unfinished.length > 0) log.warn('plugin stopped with events it was not told', { hooks: unfinished })
    await stack.disposeAsync()
    state = 'stopped'
  }

  return {
    get spec() {
      return spec
    },
    apply() {
      applying = true
      try {
        const given: unknown = definition.apply(host, options as never) // the factory tied options and definition
        if (given instanceof Promise) {
          given.catch(() => {}) // it is refused, whatever comes of it
          throw applyAsync(id)
        }
        state = 'applied'
      } catch (error) {
        throw isHostError(error) ? error : applyFailed(id, error)
      } finally {
        applying = false
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
          if (isDisposable(opened)) own(opened, 'what start returned')
          else if (opened !== undefined) throw notDisposable(id, 'returned something from start')
        } catch (error) {
          opening.then(
            (opened) => (isDisposable(opened) ? disposeOne(opened, 'what start returned too late') : undefined),
            () => {}, // told below, or nobody waits for it any more
          )
          throw isHostError(error) ? error : startThrew(id, error)
        }
      }
      state = 'started'
      taps.open()
    },
    run() {
      for (const rules of schedulers) own(powers.registerScheduler(rules), `scheduler "${rules.name}"`)
      for (const poller of pollers) own(powers.registerPoller(poller), `poller "${poller.name}"`)
      for (const command of chatCommands) {
        const run = guardChatCommand(command, { plugin: id, clock, taps, deadlineMs: limits.tapMs })
        own(powers.registerChatCommand(command, run), `chat command "${command.name}"`)
      }
      for (const carrier of carriers) own(powers.registerCarrier(carrier), `carrier of ${carrier.scheme}`)
      own(routes.open(), 'its routes')
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
      spec = next
      options = renewed
      taps.resume()
      return true
    },
    swap(next) {
      live.swap(next.options)
      spec = next
    },
    preview: (build) => definition.preview?.(host, options as never, build), // as above
    stop: () => (stopped ??= stop()),
    release: () => taps.release(),
    resume: () => taps.resume(),
    wake: (names) => taps.wake(names),
    status: () => ({ id, name: definition.name, kind, durable, needs, state, ...taps.status() }),
  }
}

/** It says already which plugin did what. */
function isHostError(error: unknown): boolean {
  return error instanceof CiError && /^BOLT_(HOST|HOOKS|HTTP)_/.test(error.code)
}

function isDisposable(thing: unknown): thing is Disposable | AsyncDisposable {
  return typeof thing === 'object' && thing !== null && (Symbol.asyncDispose in thing || Symbol.dispose in thing)
}

function nameOf(thing: object): string {
  const name: unknown = thing.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `a ${name}` : 'something it owned'
}
