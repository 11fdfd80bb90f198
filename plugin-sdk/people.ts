/** People: who stands behind the `who` of a change, and how they are reached. */
import type { Duration } from './duration.ts'

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
}

export interface PersonOptions {
  /** `null`: no mail to this person. */
  readonly mail?: string | null
  /** How IRC knows them: `'account:jane'`, with several networks `'account:jane@libera'`; `'host:jane@*.example.org'`. */
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
export type LookedUpPerson = string | PersonOptions | null | undefined

export interface People {
  /**
   * The mail address for a `who`: from the table, else as `people.lookup` says, else an address inside `who`, else `who` at the mail
   * domain; `null` if none fits.
   * @throws CiError `BOLT_PEOPLE_LOOKUP`: it cannot be told at present.
   */
  mailAddress(who: string): Promise<string | null>
  /** How IRC knows a person: `['account:jane']`. @throws CiError `BOLT_PEOPLE_LOOKUP`. */
  ircIdentities(who: string): Promise<readonly string[]>
}
