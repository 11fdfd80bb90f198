import type { AuditView } from './action.ts'
import type { Chat, ChatCommand, ChatPlace } from './chat.ts'
import type { Clock, Log } from './clock.ts'
import type { FormValues } from './force-form.ts'
import type { HookName, Tap, TapOptions } from './hooks.ts'
import type { HttpPower } from './http.ts'
import type { Json } from './json.ts'
import type { LockView } from './lock-view.ts'
import type { LogPart, LogPlace, LogView } from './log-view.ts'
import type {
  BuilderView,
  BuildId,
  BuildsetId,
  BuildsetInput,
  BuildsetView,
  BuildView,
  Change,
  ChangeId,
  ChangeInput,
  RequestId,
  RequestView,
  SchedulerView,
  SlaveView,
  WhyNot,
} from './model.ts'
import type { Carrier, Notice, Notified } from './notify.ts'
import type { People } from './people.ts'
import type { Poller, PollerView } from './poller.ts'
import type { BranchView, StepExpectation } from './progress.ts'
import type { SecretRef } from './render.ts'
import type { Result } from './results.ts'
import type { SchedulerRules } from './scheduler.ts'
import type { SlaveDoor } from './slave-transport.ts'

/**
 * All a plugin may do, made for it alone; what is not free it says it needs, see {@link NEEDS}. Every member is safe to keep and to call at any time between `apply` and stop;
 * after stop, calls reject with `BOLT_HOST_STOPPED`. What stores something rejects with a code that begins with `BOLT_STORE_` when that cannot be done.
 */
export interface Host {
  /** The plugin's id in the config. */
  readonly id: string
  readonly log: Log
  readonly clock: Clock
  /** Aborted when the plugin is stopped. */
  readonly signal: AbortSignal

  /** Ties something to the plugin's life: disposed at stop, last first. Returns it. @throws CiError `BOLT_HOST_NOT_DISPOSABLE`. */
  own<T extends Disposable | AsyncDisposable>(thing: T): T
  /**
   * A thing that several plugins use together, such as a listening port. It is opened for the first that asks for this key, and
   * disposed when the last of them has stopped; its log and clock outlive them. Resolves when it is open.
   * @throws what `open` throws; the next one who asks opens it anew.
   * @example const port = await host.share('lamps:9000', ({ log }) => openLampPort(9000, log))
   */
  share<T extends Disposable | AsyncDisposable>(
    key: string,
    open: (context: SharedContext) => T | Promise<T>,
  ): Promise<T>
  /**
   * Listens to a hook; only in `apply`. Durable plugins tap stored observe hooks only.
   * @throws CiError `BOLT_HOST_ONLY_IN_APPLY`, `BOLT_HOOKS_UNKNOWN`, `BOLT_HOOKS_TAP`, `BOLT_HOST_DURABLE_TAP`.
   */
  tap<Name extends HookName>(name: Name, tap: Tap<Name>, options?: TapOptions): void

  /**
   * Hands in a change. Resolves when it is stored: from then on no crash loses it.
   * @throws CiError when it is malformed or a `refineChange` tap rejected it. A code that begins with `BOLT_STORE_`, as `BOLT_STORE_FULL`, is not
   * the change's fault: hand it in again later.
   */
  submitChange(change: ChangeInput): Promise<Submitted>
  /** Asks for builds. Resolves when stored. @throws CiError `BOLT_BUILDSETS_UNKNOWN_BUILDER`, `BOLT_BUILDSETS_EMPTY`, `BOLT_BUILDSETS_PROPERTY`. */
  submitBuildset(buildset: BuildsetInput): Promise<BuildsetSubmitted>
  /**
   * Resolves with the worst result when all builds of a buildset have ended; also when they have already.
   * @throws the signal's reason when it aborts first; CiError `BOLT_BUILDSETS_UNKNOWN`.
   */
  waitFor(buildset: BuildsetId, options?: { readonly signal?: AbortSignal }): Promise<Result>
  /**
   * Starts a build as a person would; passes `guardAction`. Resolves when it is queued.
   * @throws CiError `BOLT_ACCESS_REFUSED` or the refusal of a tap, as all orders of people do; `BOLT_BUILDSETS_UNKNOWN_BUILDER`,
   * `BOLT_QUEUE_NEVER_RUNNABLE`. With a form `BOLT_SCHEDULING_UNKNOWN`, `BOLT_SCHEDULING_NO_FORM`, `BOLT_SCHEDULING_FORM`.
   */
  force(order: ForceOrder | FormOrder): Promise<BuildsetSubmitted>
  /** Stops a running build; passes `guardAction`. Resolves when the stop is under way. @throws CiError when refused; `BOLT_BUILDS_NOT_RUNNING`. */
  stop(order: StopOrder): Promise<void>
  /**
   * Cancels a waiting request, or all of a builder; passes `guardAction`. Resolves with how many.
   * @throws CiError when refused; `BOLT_QUEUE_NOT_WAITING`, `BOLT_BUILDSETS_UNKNOWN_BUILDER`.
   */
  cancel(order: CancelOrder): Promise<number>
  /**
   * Builds once more just what a build was made from; passes `guardAction`. Resolves when it is queued.
   * @throws CiError when refused; `BOLT_BUILDS_UNKNOWN`, `BOLT_BUILDSETS_UNKNOWN_BUILDER`, `BOLT_QUEUE_NEVER_RUNNABLE`.
   */
  rebuild(order: RebuildOrder): Promise<BuildsetSubmitted>
  /**
   * Gives a slave no builds until it is resumed; passes `guardAction`. Resolves when it is stored. @throws CiError when refused; `BOLT_SLAVES_NO_SUCH`.
   */
  pause(order: SlaveOrder): Promise<void>
  /** Gives a paused slave builds again; passes `guardAction` as `pause`. Resolves when it is stored. @throws CiError as `pause`. */
  resume(order: SlaveOrder): Promise<void>
  /**
   * Has the master read its config again; passes `guardAction`. Resolves with what changed, a line each, when it is in force; the plugin
   * may have been stopped by then.
   * @throws CiError when refused, or when the config has problems, and then the old one is in force; `BOLT_POWERS_PROGRAM`.
   */
  reconfigure(order: PersonsOrder): Promise<readonly string[]>

  /**
   * Tells people. Resolves when it is stored: from then on no crash loses it, and a carrier brings it. Asked again with the same key,
   * it adds only recipients who were not told.
   * @throws CiError `BOLT_OUTBOX_NOTICE` when it is malformed.
   * @example await host.notify({ key: `build:${eventId}`, to: [{ who: 'jane' }], subject: 'It is on fire', text: '…' })
   */
  notify(notice: Notice): Promise<Notified>

  readonly query: Query
  /** The plugin's own small store: JSON by key, durable, kept over restarts and reconfigures of the same id. */
  readonly state: State
  /** A folder of the plugin's own, made when first asked for. Resolves with its path. @throws the system's error when it cannot be made. */
  directory(): Promise<string>
  readonly secrets: Secrets
  readonly people: People
  /** Pages of the master's web server. */
  readonly http: HttpPower
  /**
   * Has the pollers of a repository look at once, however its address is written: news came another way. Gives how many; of a branch,
   * how many will tell what is new there since they last looked. Resolves when they were asked.
   */
  pollSoon(repository: string, options?: { readonly branch?: string }): Promise<number>
  /** Slave logins and connections: for slave transports. */
  readonly slaves: SlaveDoor

  /** Adds a scheduler; only in `apply`. @throws CiError `BOLT_HOST_ONLY_IN_APPLY`, as all of this kind. */
  registerScheduler<S>(rules: SchedulerRules<S & Json>): void
  /** Adds a poller; only in `apply`. Core runs it: interval with jitter, deadline, back-off, never two at once of a repository. */
  registerPoller(poller: Poller): void
  /** Adds a command to the chat bot, on IRC and in the terminal; only in `apply`. */
  registerChatCommand(command: ChatCommand): void
  /** Opens a place where people talk with the bot: for plugins that bring it to them. Dispose it with what it stands for. */
  openChat(place: ChatPlace): Chat
  /** Adds a carrier of messages; only in `apply`. It is given messages once all plugins have started. */
  registerCarrier(carrier: Carrier): void
}

/** What a shared thing may use: not of the plugin that happened to be the first. */
export interface SharedContext {
  readonly log: Log
  readonly clock: Clock
}

/** What became of a change that was handed in. */
export interface Submitted {
  readonly change: Change
  /** True: it was known already, nothing new was stored. */
  readonly duplicate: boolean
}

/** What became of an order for builds. */
export interface BuildsetSubmitted {
  readonly buildset: BuildsetId
  readonly requests: readonly RequestId[]
  /** Set when it is queued but nothing can run it at present: `no slave of "full" is attached`. */
  readonly warning: string | null
}

/** What a person asks for. */
export interface PersonsOrder {
  readonly who: string
  readonly reason: string
  /**
   * What is known of them for sure, for the rules of `access`: `account:jane`. Plugins that let people in give it, also when it is
   * empty; without it the plugin itself asks.
   */
  readonly proofs?: readonly string[]
}

/** Keeps a slave from builds, or gives it builds again. */
export interface SlaveOrder extends PersonsOrder {
  readonly slave: string
}

/** Stops a running build. */
export interface StopOrder extends PersonsOrder {
  readonly build: BuildId
}

/** Asks for a build of one builder. */
export interface ForceOrder extends PersonsOrder {
  readonly builder: string
  readonly branch?: string | null
  readonly revision?: string | null
  readonly codebase?: string
  readonly properties?: Readonly<Record<string, Json>>
  /** Higher ones are built first; default 0. */
  readonly priority?: number
}

/** Names one waiting request, or a builder: then all that wait for it. */
export type CancelOrder = PersonsOrder &
  (
    | { readonly request: RequestId; readonly builder?: undefined }
    | { readonly builder: string; readonly request?: undefined }
  )

/** Has a scheduler with a form build. */
export interface FormOrder extends Omit<PersonsOrder, 'reason'> {
  readonly scheduler: string
  /** Some of the scheduler's builders; left out: all. */
  readonly builders?: readonly string[]
  /** By name of the field; left out: its default. Texts are taken for numbers, booleans and lists. */
  readonly values?: FormValues
}

/** Asks for a build once more. */
export interface RebuildOrder extends PersonsOrder {
  readonly build: BuildId
}

/** Read-only views of what is stored. Every call but `project` resolves when the store was read. Lists are newest first unless said otherwise. */
export interface Query {
  /** Name and home page of the project, as the config says. */
  project(): { readonly name: string; readonly url: string | null }
  builders(): Promise<readonly BuilderView[]>
  /** `undefined` when there is none of this name. */
  builder(name: string): Promise<BuilderView | undefined>
  /** Branches of a builder, the last built first; `limit` defaults to 100. */
  branches(
    builder: string,
    filter?: { readonly branch?: string | null; readonly limit?: number },
  ): Promise<readonly BranchView[]>
  /** How long the steps of a builder take, learned from its good builds; empty when it had none. */
  expectations(builder: string): Promise<readonly StepExpectation[]>
  buildset(id: BuildsetId): Promise<BuildsetView | undefined>
  /** Newest first; `running`: only those that have not finished, or only those that have; `limit` defaults to 20. */
  buildsets(filter?: { readonly running?: boolean; readonly limit?: number }): Promise<readonly BuildsetView[]>
  /** True when the builder has an attached free slave and nothing waiting or running. */
  isIdle(builder: string): Promise<boolean>
  build(id: BuildId): Promise<BuildView | undefined>
  buildByNumber(builder: string, number: number): Promise<BuildView | undefined>
  /** Newest first; `limit` defaults to 20. */
  builds(filter?: {
    readonly builder?: string
    readonly running?: boolean
    /** Of this slave. */
    readonly slave?: string
    /** With this change in it. */
    readonly change?: ChangeId
    /** Older than this one: the next page. */
    readonly before?: BuildId
    readonly limit?: number
  }): Promise<readonly BuildView[]>
  request(id: RequestId): Promise<RequestView | undefined>
  /** In queue order; `limit` defaults to 100. */
  requests(filter?: { readonly builder?: string; readonly limit?: number }): Promise<readonly RequestView[]>
  slaves(): Promise<readonly SlaveView[]>
  /** Who asked for what, allowed and refused, the newest first; `limit` defaults to 20. */
  audits(filter?: { readonly limit?: number }): Promise<readonly AuditView[]>
  /** Locks that are held or waited for, by name. */
  locks(): Promise<readonly LockView[]>
  /** In config order. */
  schedulers(): Promise<readonly SchedulerView[]>
  /** In the order they were registered. */
  pollers(): Promise<readonly PollerView[]>
  change(id: number): Promise<Change | undefined>
  changes(filter?: { readonly before?: ChangeId; readonly limit?: number }): Promise<readonly Change[]>
  /** Why a waiting request waits; `undefined` when it does not wait. */
  why(request: RequestId): Promise<WhyNot | undefined>
  /** The end of a log as text: at most `maxLines` lines (default 50) and 64 KiB. Empty when there is no such log. */
  logTail(place: LogPlace, maxLines?: number): Promise<string>
  /** How long a log is; `undefined` when there is no such log, or no longer. */
  log(place: LogPlace): Promise<LogView | undefined>
  /** A part of a log from a byte on, at most 1 MiB. @throws CiError `BOLT_LOGS_UNKNOWN`. */
  readLog(place: LogPlace, from: number, to?: number): Promise<LogPart>
  /** The byte at which a line (from 0) begins; the end of the log when it has fewer. Negative counts from the end. */
  logLine(place: LogPlace, line: number): Promise<number>
}

/** A small durable store of one plugin: JSON by key. Each call resolves when it is done, and stored. */
export interface State {
  get(key: string): Promise<Json | undefined>
  /** @throws CiError `BOLT_STATE_JSON` when `value` would not come back as it is. */
  set(key: string, value: Json): Promise<void>
  delete(key: string): Promise<void>
}

/** The secrets a plugin may read. */
export interface Secrets {
  /** The text of a secret, or of a plain string given instead of one. @throws CiError `BOLT_SECRETS_UNKNOWN`, `BOLT_SECRETS_EMPTY`, `BOLT_SECRETS_MODE`, `BOLT_SECRETS_UNREADABLE`. */
  resolve(value: string | SecretRef): string
}
