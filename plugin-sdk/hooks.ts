/**
 * Every hook of Boltbot, in the order of the walk. There are no others.
 *
 * Four kinds, readable from the name:
 * - **observe** (noun + past participle): told afterwards, on the plugin's own mailbox; can delay and hurt nobody.
 * - **refine** (`refine` + noun): returns a new value; throwing rejects that one item.
 * - **choose** (`choose` + noun): returns an answer or `undefined`; with no answer, core decides.
 * - **guard** (`guard` + noun): throwing a {@link CiError} refuses, with that reason.
 */
import type { GuardedAction } from './action.ts'
import type * as events from './events.ts'
import type * as model from './model.ts'

/** What a tap of a hook may do: listen, alter, choose, refuse. */
export type HookKind = 'observe' | 'refine' | 'choose' | 'guard'

/** Every hook with its kind, its event, and what a tap returns. */
export interface Hooks {
  /** Before a change is stored. Return it altered, or throw to reject it. */
  refineChange: { kind: 'refine'; event: model.ChangeInput & { readonly source: string }; value: model.ChangeInput }
  /** A change was stored; schedulers see it next. */
  changeAccepted: { kind: 'observe'; event: events.ChangeAccepted }
  /** A change source failed again and backs off. */
  sourceFailing: { kind: 'observe'; event: events.SourceFailing }
  /** Somebody wants to force, stop, cancel, rebuild, pause, reconfig or shut down. Throw to refuse. */
  guardAction: { kind: 'guard'; event: GuardedAction }
  /** Somebody asked for an act and was allowed to, or refused. */
  actionJudged: { kind: 'observe'; event: events.ActionJudged }
  /** A buildset and its requests were stored. */
  buildsetCreated: { kind: 'observe'; event: events.BuildsetCreated }
  /** A request is in its builder's queue, for the first time or again. */
  requestQueued: { kind: 'observe'; event: events.RequestQueued }
  /** A waiting request was cancelled. */
  requestCancelled: { kind: 'observe'; event: events.RequestCancelled }
  /** Which of the first waiting requests of a builder is next? */
  chooseRequest: { kind: 'choose'; event: RequestChoice; value: model.RequestId }
  /** Which of the free slaves takes the build? */
  chooseSlave: { kind: 'choose'; event: SlaveChoice; value: string }
  /** A build was given its number and runs. */
  buildStarted: { kind: 'observe'; event: events.BuildStarted }
  /** A step of a build runs. */
  stepStarted: { kind: 'observe'; event: events.StepStarted }
  /** A running step printed something. Coalesced, not stored. */
  logAppended: { kind: 'observe'; event: events.LogAppended }
  /** A step ended. */
  stepFinished: { kind: 'observe'; event: events.StepFinished }
  /** A build ended; its result is stored. */
  buildFinished: { kind: 'observe'; event: events.BuildFinished }
  /** The first failure of a buildset. */
  buildsetDoomed: { kind: 'observe'; event: events.BuildsetDoomed }
  /** The last build of a buildset ended. */
  buildsetFinished: { kind: 'observe'; event: events.BuildsetFinished }
  /** A slave attached and can be given builds. */
  slaveConnected: { kind: 'observe'; event: events.SlaveConnected }
  /** A slave's link is gone. */
  slaveLost: { kind: 'observe'; event: events.SlaveLost }
  /** A slave is away for longer than its `missingTimeout`, or a latent one did not start. */
  slaveMissing: { kind: 'observe'; event: events.SlaveMissing }
  /** A slave that was told missing is there again. */
  slaveBack: { kind: 'observe'; event: events.SlaveBack }
  /** A config is in force, the first or a new one. */
  configApplied: { kind: 'observe'; event: events.ConfigApplied }
  /** A new config had problems; the old one stays in force. */
  configRejected: { kind: 'observe'; event: events.ConfigRejected }
}

/** Names of all hooks. */
export type HookName = keyof Hooks
/** The event of a hook, by its name. */
export type HookEvent<Name extends HookName> = Hooks[Name]['event']
/**
 * What a tap may return: a value for refine and choose hooks; nothing for the others, or, of a durable plugin, `'passed'`: it had nothing
 * to do with the event. How far such a plugin has come need not be stored for that event alone.
 */
export type HookValue<Name extends HookName> = Hooks[Name] extends { value: infer Value }
  ? Value | undefined
  : // biome-ignore lint/suspicious/noConfusingVoidType: it is the return type of taps
    void | (Name extends StoredHook ? 'passed' : never)

/** Names of the hooks that are told afterwards. */
export type ObserveHook = { [Name in HookName]: Hooks[Name]['kind'] extends 'observe' ? Name : never }[HookName]
/** Names of the hooks that alter something before it is stored. */
export type RefineHook = { [Name in HookName]: Hooks[Name]['kind'] extends 'refine' ? Name : never }[HookName]
/** Names of the hooks that ask for a choice. */
export type ChooseHook = { [Name in HookName]: Hooks[Name]['kind'] extends 'choose' ? Name : never }[HookName]
/** Names of the hooks that may refuse. */
export type GuardHook = { [Name in HookName]: Hooks[Name]['kind'] extends 'guard' ? Name : never }[HookName]
/** Observe hooks whose events are in the journal: all but `logAppended`. A durable plugin may tap these only. */
export type StoredHook = Exclude<ObserveHook, 'logAppended'>

/** Each hook's kind at run time, in the order of the walk. */
export const HOOK_KINDS: { readonly [Name in HookName]: Hooks[Name]['kind'] } = Object.freeze({
  refineChange: 'refine',
  changeAccepted: 'observe',
  sourceFailing: 'observe',
  guardAction: 'guard',
  actionJudged: 'observe',
  buildsetCreated: 'observe',
  requestQueued: 'observe',
  requestCancelled: 'observe',
  chooseRequest: 'choose',
  chooseSlave: 'choose',
  buildStarted: 'observe',
  stepStarted: 'observe',
  logAppended: 'observe',
  stepFinished: 'observe',
  buildFinished: 'observe',
  buildsetDoomed: 'observe',
  buildsetFinished: 'observe',
  slaveConnected: 'observe',
  slaveLost: 'observe',
  slaveMissing: 'observe',
  slaveBack: 'observe',
  configApplied: 'observe',
  configRejected: 'observe',
})

/** Of `chooseRequest`. */
export interface RequestChoice {
  readonly builder: string
  /** The first 50 waiting requests, in queue order. */
  readonly requests: readonly model.RequestView[]
}

/** Of `chooseSlave`. */
export interface SlaveChoice {
  readonly builder: string
  readonly request: model.RequestId
  /** Slaves that could start now, at least one. */
  readonly slaves: readonly string[]
}

/** What a tap gets beside the event. */
export interface TapContext {
  /**
   * Aborted when the tap's deadline is over, or when a stop does not wait for it any longer (`host.signal` aborts when the stop
   * begins; events under way and in the mailbox are still told for 5 s). Pass it on to `fetch` and the like.
   */
  readonly signal: AbortSignal
}

/** A tap. Observers may be async: the next event of the same plugin waits for it, nothing else does. */
export type Tap<Name extends HookName> = (
  event: HookEvent<Name>,
  context: TapContext,
) => HookValue<Name> | Promise<HookValue<Name>>

/** In which order taps of one hook are called. */
export interface TapOptions {
  /** Lower runs earlier; default 0. Say in a comment why the order matters. */
  readonly stage?: number
  /** Run before the taps of these plugin ids. */
  readonly before?: string | readonly string[]
}
