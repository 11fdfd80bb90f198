import type {
  BuildsetId,
  BuildView,
  ChangeInput,
  Chat,
  ChatPlace,
  EventId,
  LogPart,
  LogPlace,
  Query,
  RequestId,
  RequestView,
  Result,
  SchedulerView,
  Submitted,
  WhyNot,
} from 'boltbot/plugin-sdk'

import type { Actions } from './actions.ts'
import type { Config } from './config/model.ts'
import type { PluginStatus } from './host/plugin-scope.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { PeopleDesk } from './people/desk.ts'
import type { ConfigPlan } from './plan/plan.ts'
import type { StopHow } from './running-builds.ts'
import type { SlaveActions } from './slave-actions.ts'
import type { StoreHealth } from './store/health.ts'
import type { StoredEvent } from './store/store.ts'

/** A running master, as the command line, the control socket and tests use it. */
export interface Master extends Actions, SlaveActions {
  readonly query: Query
  /** Starts everything, plugins last. @throws what a plugin could not do; all that was started is stopped then. */
  start(): Promise<void>
  /** Stops in reverse. `builds`: what becomes of running ones, see there; default `leave`. Idempotent, also after a failed start. */
  stop(options?: { readonly reason?: string; readonly builds?: StopHow }): Promise<void>
  /** Applies a checked config; gives what changed, a line each. @throws CiError, and then the old config is in force. */
  reconfigure(config: Config, by: Caller): Promise<readonly string[]>
  /** What a checked config would change, with so many of the last changes replayed; changes nothing. */
  plan(config: Config, lastChanges: number): Promise<ConfigPlan>
  /** Tells status targets that a new config had problems. */
  configRejected(problems: readonly string[]): Promise<void>
  /** Resolves with the result of a buildset when it has ended. */
  waitFor(buildset: BuildsetId, signal?: AbortSignal): Promise<Result>
  submitChange(input: ChangeInput, source: string): Promise<Submitted>
  /** Asks a scheduler not to wait any longer; guarded as `force`. */
  runNow(scheduler: string, by: Caller): Promise<{ readonly buildsets: number }>
  /** Has pollers poll at once, by name; resolves when they have. @throws what the poll failed with. */
  poll(name: string, by: Caller): Promise<readonly string[]>
  /** Asks the guards whether somebody may stop the master. @throws the refusal. */
  mayShutDown(by: Caller, reason: string): Promise<void>
  readonly outbox: Pick<Outbox, 'list' | 'retry' | 'drop' | 'probe'>
  readonly people: Pick<PeopleDesk, 'subscribe' | 'unsubscribe' | 'subscriptions' | 'look' | 'standing'>
  /** The address of the web server, with `/` at its end; `null`: the config has none. */
  url(): string | null
  /** Whether the store takes what is stored. @throws CiError why it does not. */
  storeHealth(): Promise<StoreHealth>
  schedulers(): readonly SchedulerView[]
  /** One request, or all that wait, in queue order. */
  why(request?: RequestId): Promise<readonly { readonly request: RequestView; readonly why: WhyNot | null }[]>
  /** A part of a log from a byte on; `next` is where to go on, `finished` that nothing comes any more. */
  readLog(place: LogPlace, from: number): Promise<LogPart>
  readonly plugins: {
    status(): readonly PluginStatus[]
    /** What each plugin that can say would tell of a finished build. */
    preview(build: BuildView): Promise<readonly { readonly plugin: string; readonly text: string | null }[]>
    /** Ends the suspension of a plugin that failed too often. @throws CiError when there is no such plugin. */
    resume(id: string): void
  }
  /** Opens a place where people talk with the bot. */
  openChat(place: ChatPlace): Chat
  /** Every stored event after one, then each that comes; `null`: from now on. */
  events(after: EventId | null, signal: AbortSignal): AsyncGenerator<StoredEvent>
}

export interface Caller {
  readonly who: string
  /** The way in: `cli`, `signal`. */
  readonly via: string
  /** See `GuardedAction`. */
  readonly proofs?: readonly string[]
}
