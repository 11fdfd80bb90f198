/** People: who stands behind the `who` of a change, and how they are reached. */
import type { BuildNews } from './chat.ts'
import type { Duration } from './duration.ts'
import type { BuildFinished } from './events.ts'
import type { BuildId } from './model.ts'

/** How people are known to the master. */
export interface PeopleOptions {
  /** `jane` becomes `jane@<domain>`. */
  readonly mailDomain?: string
  /** By the `who` of a change, or by its mail address. */
  readonly table?: Readonly<Record<string, PersonOptions>>
  /** Asked for what the table does not say. */
  readonly lookup?: LookUpPerson
  /** How long an answer of `lookup` is good; default `'10m'`. */
  readonly cacheFor?: Duration
  /** How long `lookup` may take; default `'10s'`. */
  readonly lookupTimeout?: Duration
  /**
   * Who is told of builds with changes to which files. Patterns are globs: `'docs/**'`, `'src/*.c'`; without a slash they fit a
   * file of that name anywhere, with a slash at the end all below.
   */
  readonly owners?: Readonly<Record<string, string | readonly string[]>>
  /** Who looks after all builds of the day. */
  readonly sheriff?: SheriffOptions
}

/** @example { rota: ['jane', 'bob'], start: '2026-01-05', period: '7d', at: '09:00', timeZone: 'Europe/Berlin' } */
export interface SheriffOptions {
  /** Takes turns, in this order. */
  readonly rota: readonly string[]
  /** The first day of the first one: `'2026-01-05'`. */
  readonly start: string
  /** How long each is: whole days; default `'1d'`. */
  readonly period?: Duration
  /** The time of day of the change; default `'00:00'`. */
  readonly at?: string
  /** Of `start` and `at`; default: the master's. */
  readonly timeZone?: string
}

/** One person, as the table of the config has them. */
export interface PersonOptions {
  /** `null`: no mail to this person. */
  readonly mail?: string | null
  /**
   * How IRC knows them: `'account:jane'`, with several networks `'account:jane@libera'`; `'host:jane@*.example.org'`. `'nick:jane'` is
   * only where they are told things: a nickname proves nothing.
   */
  readonly irc?: string | readonly string[]
  /** For rules of `access`: `['committer']`. */
  readonly roles?: readonly string[]
}

/**
 * Asks a directory, LDAP for instance, for a person. Gives a mail address, or what is known of them; `null`: not known there. A throw:
 * not known at present, asked again later.
 * @example async (who, { signal }) => (await ldap.search(`uid=${escape(who)}`, { signal }))?.mail ?? null
 */
export type LookUpPerson = (
  who: string,
  /** Aborted when it takes too long. */
  context: { readonly signal: AbortSignal },
) => LookedUpPerson | Promise<LookedUpPerson>
/** What is known of a person. */
export type LookedUpPerson = string | PersonOptions | null | undefined

/** What the config and the store know of the people behind changes. */
export interface People {
  /**
   * The mail address for a `who`: from the table, else as `people.lookup` says, else an address inside `who`, else `who` at the mail
   * domain; `null` if none fits. Resolves when the store was asked.
   * @throws CiError `BOLT_PEOPLE_LOOKUP`: it cannot be told at present.
   */
  mailAddress(who: string): Promise<string | null>
  /** How IRC knows a person: `['account:jane']`. Resolves when the store was asked. @throws CiError `BOLT_PEOPLE_LOOKUP`. */
  ircIdentities(who: string): Promise<readonly string[]>
  /**
   * Who wants to know of a build, each once, and why. By mail: those in the blamelist, the owners of files its changes touch, the
   * sheriff of the day and subscribers; by IRC: subscribers who said so, unless somebody looks after a failure (`ack`) that this build
   * only repeats. Resolves when the store was asked.
   */
  interested(build: InterestingBuild, by: SubscribedBy): Promise<readonly InterestedPerson[]>
}

/** What of a build decides who is interested. */
export interface InterestingBuild extends Pick<BuildFinished, 'builder' | 'branch' | 'blamelist' | 'changes' | 'at'> {
  /** What news it is, as `newsOfBuild` says: who subscribed to other events is left out. Left out: subscribers of all events count. */
  readonly kinds?: readonly BuildNews[]
  /** Left out: no build, or none that has ended. */
  readonly build?: BuildId
}
/** Why somebody is interested in a build. */
export type SubscribedBy = 'mail' | 'irc'

/** Somebody who wants to hear of a build. */
export interface InterestedPerson {
  readonly who: string
  readonly reasons: readonly InterestReason[]
}

/**
 * - `change`: a change of theirs is in the build;
 * - `owner`: they own a file that was changed, `pattern` says by which of the patterns;
 * - `sheriff`: of the day;
 * - `subscriber`: to `what`: `builder full`, `branch main`.
 */
export type InterestReason =
  | { readonly kind: 'change' | 'sheriff' }
  | { readonly kind: 'owner'; readonly pattern: string }
  | { readonly kind: 'subscriber'; readonly what: string }
