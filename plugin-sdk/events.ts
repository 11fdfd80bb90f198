/** Payloads of the hooks: what happened, JSON-safe, with ids. */
import type { GuardedAction } from './action.ts'
import type { BuildId, BuildsetId, Change, ChangeId, EventId, RequestId, SourceStamp } from './model.ts'
import type { Eta } from './progress.ts'
import type { Result } from './results.ts'

/** What every stored event has. A second delivery of an event has the same `eventId`. */
export interface EventBase {
  readonly eventId: EventId
  /** Clock time, ms. */
  readonly at: number
}

/** Of `changeAccepted`. */
export interface ChangeAccepted extends EventBase {
  readonly change: Change
}
/** Of `sourceFailing`. */
export interface SourceFailing extends EventBase {
  readonly source: string
  readonly error: string
  /** Failures in a row. */
  readonly failures: number
}
/** An act of a person passed the guards, or did not. */
export interface ActionJudged extends EventBase, GuardedAction {
  /** Why not; `null`: it was allowed. */
  readonly refusal: string | null
}
/** Of `buildsetCreated`. */
export interface BuildsetCreated extends EventBase {
  readonly buildset: BuildsetId
  readonly builders: readonly string[]
  readonly scheduler: string | null
  readonly owner: string | null
  readonly reason: string
  readonly changes: readonly ChangeId[]
}
/** Of `requestQueued`. */
export interface RequestQueued extends EventBase {
  readonly request: RequestId
  readonly buildset: BuildsetId
  readonly builder: string
  /** `submitted` the first time, `retry` when its slave was lost. */
  readonly cause: 'submitted' | 'retry'
  readonly reason: string
}
/** Of `requestCancelled`. */
export interface RequestCancelled extends EventBase {
  readonly request: RequestId
  readonly buildset: BuildsetId
  readonly builder: string
  readonly who: string
  readonly reason: string
}
/** Of `buildStarted`. */
export interface BuildStarted extends EventBase {
  readonly build: BuildId
  readonly builder: string
  readonly number: number
  readonly slave: string
  /** The one it was started for, and behind it those merged into it. */
  readonly requests: readonly RequestId[]
  readonly changes: readonly ChangeId[]
  readonly blamelist: readonly string[]
  readonly reason: string
  readonly branch: string | null
  readonly revision: string | null
  /** When it will have ended, as far as that is known. */
  readonly eta?: Eta
}
/** Of `stepStarted`. */
export interface StepStarted extends EventBase {
  readonly build: BuildId
  readonly builder: string
  readonly number: number
  readonly step: number
  readonly name: string
  readonly text: string
  /** When the build will have ended, as far as that is known. */
  readonly eta?: Eta
}
/** Not stored and may be skipped or merged with the next: a wake-up for live views, the log itself is the truth. */
export interface LogAppended {
  /** Clock time, ms. */
  readonly at: number
  readonly build: BuildId
  readonly builder: string
  readonly number: number
  readonly step: number
  readonly log: string
  /** Bytes in the log now. */
  readonly length: number
}
/** Of `stepFinished`. */
export interface StepFinished extends EventBase {
  readonly build: BuildId
  readonly builder: string
  readonly number: number
  readonly step: number
  readonly name: string
  readonly result: Result
  readonly text: string
}
/** All that `BuildStarted` said, and what came of it. */
export interface BuildFinished extends Omit<BuildStarted, 'eta'> {
  readonly result: Result
  /** The result of the finished build before this one of the same builder and branch, `retry` and `cancelled` left out. */
  readonly previousResult: Result | null
  readonly text: readonly string[]
  readonly startedAt: number
}
/** The first failure of a buildset: its result can no longer be good, other builds of it may still run. */
export interface BuildsetDoomed extends EventBase {
  readonly buildset: BuildsetId
  readonly builder: string
  readonly build: BuildId | null
}
/** Of `buildsetFinished`. */
export interface BuildsetFinished extends EventBase {
  readonly buildset: BuildsetId
  readonly scheduler: string | null
  readonly result: Result
  readonly sourceStamp: SourceStamp
}
/** Of `slaveConnected`. */
export interface SlaveConnected extends EventBase {
  readonly slave: string
  readonly peer: string
}
/** Of `slaveLost`. */
export interface SlaveLost extends EventBase {
  readonly slave: string
  readonly reason: string
}
/** A slave is away for longer than its `missingTimeout`, or a latent one did not start. Told once; `slaveBack` follows when it is there again. */
export interface SlaveMissing extends EventBase {
  readonly slave: string
  /** Since when it is away: the loss of its link, or the start of the master it never came to. */
  readonly since: number
  /** Last sign of life; `null`: there never was one. */
  readonly lastHeard: number | null
  /** What its `info/admin` and `info/host` said. */
  readonly admin: string | null
  readonly host: string | null
  /** Of a latent slave: why no instance came; else `null`. */
  readonly reason: string | null
  /** What it built when it was lost. */
  readonly running: readonly { readonly build: BuildId; readonly builder: string; readonly number: number }[]
  /** Who is to be told, as `notifyOnMissing` says. */
  readonly notify: readonly string[]
}
/** A slave that was told missing is there again. */
export interface SlaveBack extends EventBase {
  readonly slave: string
  readonly peer: string
  /** Since when it had been away. */
  readonly since: number
  readonly notify: readonly string[]
}
/** Of `configApplied`. */
export interface ConfigApplied extends EventBase {
  readonly hash: string
  /** What changed, a line each; empty at the first start. */
  readonly changes: readonly string[]
}
/** Of `configRejected`. */
export interface ConfigRejected extends EventBase {
  readonly problems: readonly string[]
}
