/** What a config may decide about queues with functions of its own. All may be async, and have 30 s. */
import type { Json } from './json.ts'
import type { RequestView, SourceStamp } from './model.ts'

/** A waiting request with what it asks for. */
export interface QueuedRequest extends RequestView {
  readonly reason: string
  /** The person who asked, if one did. */
  readonly owner: string | null
  readonly scheduler: string | null
  readonly sourceStamp: SourceStamp
  readonly properties: Readonly<Record<string, Json>>
}

/**
 * Whether `other` is built together with `first`, which is about to start. Asked instead of the rule of core for the first 50 that
 * wait. Requests that came from a trigger, a try or with a patch are never asked about: they are always built alone. A throw counts as no.
 *
 * @example (_builder, first, other) => first.sourceStamp.branch === other.sourceStamp.branch
 */
export type MergeRequests = (builder: string, first: QueuedRequest, other: QueuedRequest) => boolean | Promise<boolean>

/**
 * Which of the first 50 requests that may start now is next: one of them, or its id. Nothing: the first. A throw counts as nothing.
 *
 * @example (_builder, requests) => requests.find((request) => request.sourceStamp.branch === 'release')
 */
export type NextBuild = (
  builder: string,
  requests: readonly QueuedRequest[],
) => QueuedRequest | number | undefined | Promise<QueuedRequest | number | undefined>

/**
 * Which of the slaves that could start now takes the build. Nothing: one by chance. A throw counts as nothing.
 *
 * @example (_builder, slaves) => slaves.find((name) => name.startsWith('fast-'))
 */
export type NextSlave = (builder: string, slaves: readonly string[]) => string | undefined | Promise<string | undefined>

/** A builder that could have something to start. */
export interface WaitingBuilder {
  readonly name: string
  readonly category: string | null
  /** When the request at the head of its queue was submitted, ms; `null`: nothing waits. */
  readonly waitingSince: number | null
  /** Priority of that request. */
  readonly priority: number
  /** When its last build of this master's run began, ms; `null`: none yet. */
  readonly lastStarted: number | null
}

/**
 * In which order builders are looked at when slaves or locks are free for several of them: the same builders, or their names, the first
 * goes first. Those it leaves out come behind. Asked anew after each start. A throw counts as the order given: the one that waited longest
 * for a slave first.
 *
 * @example (builders) => builders.toSorted((a, b) => (a.waitingSince ?? 0) - (b.waitingSince ?? 0))
 */
export type PrioritizeBuilders = (
  builders: readonly WaitingBuilder[],
) => readonly (WaitingBuilder | string)[] | Promise<readonly (WaitingBuilder | string)[]>
