import {
  type Clock,
  type EventId,
  HOOK_KINDS,
  type HookEvent,
  type HookName,
  type Log,
  messageOf,
  type ObserveHook,
  type Random,
  type StoredHook,
  type TapOptions,
} from 'boltbot/plugin-sdk'
import type { Hooks } from '../hooks.ts'
import { type CrashLimits, createCrashBudget } from './crash-budget.ts'
import {
  createDurableReader,
  type DurableReader,
  type DurableTap,
  type JournalEvent,
  type JournalReader,
} from './durable-reader.ts'
import { badTap, durableTap, hostStopped, tapBlocked, tapLeaks, tooOften, unknownHook } from './errors.ts'
import { type AnyTap, Mailbox } from './mailbox.ts'
import type { Meter, Took } from './meter.ts'
import { TapCalls } from './tap-calls.ts'
import { createTapKinds } from './tap-kinds.ts'
import type { Turns } from './turns.ts'

/** All taps of one plugin: how they are called, what happens when they fail, and how they end. */
export interface PluginTaps {
  /** Notes a tap; it is not called before `activate`. @throws CiError when hook, function or options are wrong. */
  add(hook: HookName, tap: AnyTap, options?: TapOptions): void
  /** From now on hooks reach the taps; observers are told once `open` was called. */
  activate(): Promise<void>
  open(): void
  /**
   * Takes the taps out and waits for what is under way and in the mailbox; then aborts their signals. Resolves with the hooks that
   * did not finish. Guards refuse from now on, until `release`: an act must not slip through while its guard restarts.
   */
  close(ms: number): Promise<readonly HookName[]>
  release(): void
  /** Ends a suspension. */
  resume(): void
  wake(events?: readonly JournalEvent[]): void
  status(): TapStatus
}

export interface TapStatus {
  /** Hooks it taps. */
  readonly taps: readonly HookName[]
  readonly calls: number
  /** Milliseconds from call to answer, in all. */
  readonly spentMs: number
  readonly errors: number
  /** Events in its mailbox. */
  readonly depth: number
  /** Events it will never be told: the mailbox was full, or it was suspended. */
  readonly dropped: number
  /** True: it failed too often, its taps are dead. */
  readonly suspended: boolean
  /** The journal event a durable plugin cannot get done, while it cannot. */
  readonly stuck: { readonly event: EventId; readonly failures: number; readonly retryAt: number } | null
}

export interface PluginTapsDeps {
  readonly plugin: string
  readonly durable: boolean
  readonly hooks: Hooks
  readonly turns: Turns
  readonly meter: Meter
  readonly journal: JournalReader
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits: {
    readonly tapMs: number
    readonly mailbox: number
    readonly crash: CrashLimits
    readonly blockMs: number
    readonly leakBytes: number
  }
  /** It was suspended. */
  readonly suspended: (reason: Error) => void
}

export interface PluginTapsParts extends PluginTaps {
  /** Counts a failure outside the taps: a timer's, a route's. */
  failed(where: HookName | NoHook, error: unknown): void
  worked(): void
  /** Calls it no more, until `resume`. Events of the journal wait for it. */
  suspend(reason: Error): void
  isSuspended(): boolean
}

export function createPluginTaps(deps: PluginTapsDeps): PluginTapsParts {
  const { plugin, durable, hooks, clock, log, limits } = deps
  const noted: { readonly hook: HookName; readonly tap: AnyTap; readonly options: TapOptions }[] = []
  const tapped: (Disposable & { readonly hook: HookName })[] = []
  const budget = createCrashBudget(clock, limits.crash)
  let reader: DurableReader | undefined
  let suspended = false
  let resumed = Promise.withResolvers<void>()
  let closed = false
  /** `close` gave up what did not finish, and named it. */
  let isOver = false

  const worked = () => budget.worked()
  const failed = (where: HookName | NoHook, error: unknown) => {
    if (isOver) return
    calls.errors++
    if (suspended) return // that it is suspended was said; its timers and what was under way may go on failing for long
    log.error(NO_HOOKS.includes(where) ? `${where} failed` : 'tap failed', { hook: where, error })
    if (budget.failed()) suspend(tooOften(plugin, calls.errors, error))
  }
  const suspend = (reason: Error) => {
    if (suspended || isOver) return
    suspended = true
    resumed = Promise.withResolvers<void>()
    log.error('plugin suspended', { reason: messageOf(reason), errors: calls.errors, untold: mailbox.shut() })
    deps.suspended(reason)
  }
  const reopen = () => {
    const untold = mailbox.reopen()
    if (untold > 0) log.warn('plugin was not told of events while it was suspended', { untold })
  }
  const took = (hook: HookName, { ms, bytes }: Took) => {
    if (ms >= limits.blockMs) suspend(tapBlocked(plugin, hook, ms))
    else if (bytes >= limits.leakBytes) suspend(tapLeaks(plugin, hook, bytes))
    else if (ms >= limits.blockMs / 5) log.warn('tap kept the master waiting', { hook, ms: Math.round(ms) })
  }
  const calls = new TapCalls({ plugin, clock, meter: deps.meter, deadlineMs: limits.tapMs, took, worked, failed })
  const away = () => (suspended ? 'suspended' : closed ? 'stopped' : null)
  const kinds = createTapKinds({ plugin, call: calls.call.bind(calls), away, worked, failed })

  const mailbox = new Mailbox({ turns: deps.turns, clock, log, courier: calls, limit: limits.mailbox })
  const isolated = (hook: HookName, tap: AnyTap): ((event: never) => unknown) => {
    switch (hook) {
      case 'refineChange':
        return (event: HookEvent<'refineChange'>) => kinds.refine(hook, tap, event)
      case 'chooseRequest':
      case 'chooseSlave':
        return (event) => kinds.choose(hook, tap, event)
      case 'guardAction':
        return (event) => kinds.guard(hook, tap, event)
      default:
        return posting(mailbox, hook, tap)
    }
  }
  const durably = (hook: StoredHook, tap: AnyTap): DurableTap => ({
    hook,
    // A target that is down must not suspend its plugin: the reader backs off instead.
    deliver: async (event) => {
      while (suspended) {
        if (closed) throw hostStopped(plugin)
        await resumed.promise
      }
      try {
        return await calls.call(hook, tap, event)
      } catch (error) {
        calls.errors++
        throw error
      }
    },
  })

  return {
    add(hook, tap, options = {}) {
      if (!Object.hasOwn(HOOK_KINDS, hook)) throw unknownHook(plugin, hook, Object.keys(HOOK_KINDS))
      if (typeof tap !== 'function') throw badTap(plugin, hook, 'no function')
      const { stage, before } = options
      if (stage !== undefined && !Number.isFinite(stage)) throw badTap(plugin, hook, 'a stage that is no number')
      if (before !== undefined && ![before].flat().every((id) => typeof id === 'string'))
        throw badTap(plugin, hook, 'a before that is no plugin id')
      if (durable && !isStored(hook)) throw durableTap(plugin, hook)
      noted.push({ hook, tap, options })
    },
    async activate() {
      if (durable) {
        const inOrder = noted.toSorted((a, b) => (a.options.stage ?? 0) - (b.options.stage ?? 0))
        const taps = inOrder.flatMap(({ hook, tap }) => (isStored(hook) ? [durably(hook, tap)] : []))
        if (taps.length === 0) return
        const made = createDurableReader({ ...deps, taps })
        await made.place()
        reader = made
        return
      }
      for (const { hook, tap, options } of noted) {
        const handle = hooks.tap(plugin, hook, isolated(hook, tap), options)
        tapped.push({ hook, [Symbol.dispose]: () => handle[Symbol.dispose]() })
      }
    },
    open() {
      mailbox.open()
      reader?.open()
    },
    async close(ms) {
      closed = true
      reopen()
      resumed.reject(hostStopped(plugin))
      resumed.promise.catch(() => {}) // the reader ends
      for (const tap of tapped) if (HOOK_KINDS[tap.hook] !== 'guard') tap[Symbol.dispose]()
      const up = Promise.withResolvers<void>()
      using _ = clock.timer(ms, up.resolve)
      const [unsent, stuck] = await Promise.all([
        mailbox.drain(ms),
        reader?.stop(ms),
        Promise.race([calls.settled(), up.promise]),
      ])
      const unfinished = new Set<HookName>([...unsent, ...(stuck ? [stuck] : []), ...calls.underWay()])
      mailbox.clear()
      isOver = true
      calls.end()
      return [...unfinished]
    },
    release() {
      for (const tap of tapped) tap[Symbol.dispose]()
    },
    resume() {
      reopen()
      suspended = false
      resumed.resolve()
      budget.reset()
    },
    failed,
    worked,
    suspend,
    isSuspended: () => suspended,
    wake: (events) => reader?.wake(events),
    status: () => ({
      taps: [...new Set(noted.map((item) => item.hook))],
      calls: calls.count,
      spentMs: calls.spentMs,
      errors: calls.errors,
      depth: mailbox.depth,
      dropped: mailbox.dropped,
      suspended,
      stuck: reader?.stuck ?? null,
    }),
  }
}

/** With nothing else around it that would have to be fetched for each event. */
function posting(mailbox: Mailbox, hook: ObserveHook, tap: AnyTap): (event: unknown) => void {
  return (event) => mailbox.post(hook, tap, event)
}

function isStored(hook: HookName): hook is StoredHook {
  return HOOK_KINDS[hook] === 'observe' && hook !== 'logAppended'
}

/** What else of a plugin may fail. */
type NoHook = 'timer' | 'route' | 'chat command' | 'submitChange'
const NO_HOOKS: readonly string[] = ['timer', 'route', 'chat command', 'submitChange'] satisfies NoHook[]
