import type { BuildId, RequestId } from './model.ts'

/** What people can ask for. */
export type ActionName =
  | 'force'
  | 'stop'
  | 'cancel'
  | 'rebuild'
  | 'pause'
  | 'poll'
  | 'reconfig'
  | 'shutdown'
  /** Which channels the chat bot is in, and what it tells there. */
  | 'moderate'
  /** To say that one looks after a red builder, so that reminders stop; or that nobody does. */
  | 'ack'
  /** To link an account with a person. */
  | 'iam'

/** An act of a person, whichever way it came. */
export interface GuardedAction {
  readonly action: ActionName
  /** Who, as the way in knows them: a login, a services account; never a bare nickname. */
  readonly who: string
  /** The way in: `cli`, `irc`, `web`, `plugin:<id>`. */
  readonly via: string
  /** What the way in knows of them for sure: `account:jane`, `op:#hello`. Left out: the way in is the master's user or a plugin itself. */
  readonly proofs?: readonly string[]
  readonly builder?: string
  readonly build?: BuildId
  readonly request?: RequestId
  readonly slave?: string
  readonly reason?: string
}

/** An act that somebody asked for, and whether they were allowed to. */
export interface AuditView {
  readonly id: number
  readonly at: number
  readonly action: ActionName
  readonly who: string
  readonly via: string
  /** What was known of them; `null`: the way in belongs to the master's user, or a plugin acted by itself. */
  readonly proofs: readonly string[] | null
  readonly builder?: string
  readonly build?: BuildId
  readonly request?: RequestId
  readonly slave?: string
  readonly reason: string | null
  /** Why not; `null`: it was allowed. */
  readonly refusal: string | null
}
