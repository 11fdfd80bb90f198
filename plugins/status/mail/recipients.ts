import {
  type BuildFinished,
  type Host,
  type InterestedPerson,
  type InterestingBuild,
  type InterestReason,
  newsOfBuild,
  type Recipient,
} from 'boltbot/plugin-sdk'
import { isAddress, parseAddress, unique } from './address.ts'
import { lookupSlow } from './errors.ts'
import type { Mailing } from './options.ts'

export interface Recipients {
  readonly to: readonly string[]
  readonly cc: readonly string[]
  /** Whose address cannot be told at present: the outbox asks for it again until it is known. */
  readonly later: readonly string[]
  /** Why each gets it, by address in small letters, `*` those of `later`: `a change of yours is in the build`. */
  readonly why: Readonly<Record<string, string>>
  /** For all to read, of those who are not in the blamelist alone: `ann (owns docs/**)`. */
  readonly told: readonly string[]
  /** Who has no mail of their own, for the readers: `bob (no mail address is known)`. */
  readonly untold: readonly string[]
}

const LOOKUP_MS = 10_000

const LISTED = 'you are on the list of this notifier'

/**
 * Who is told: those who are interested in one of the builds, and the extra recipients. An address that is not a plain one is left
 * out.
 */
export async function recipientsOf(
  host: Pick<Host, 'log' | 'people' | 'clock'>,
  options: Mailing,
  builds: readonly InterestingBuild[],
): Promise<Recipients> {
  const wanted = options.sendToInterestedUsers ? await interestedIn(host, builds) : []
  const found = await Promise.all(wanted.map(async (one) => ({ ...one, ...(await reach(host, options, one.who)) })))
  const to = unique(found.flatMap(({ address }) => address ?? []))
  const later = found.flatMap(({ later }) => later ?? [])
  const named = new Set(to.map((address) => address.toLowerCase()))
  const extra = unique(options.extraRecipients).filter((address) => !named.has(address.toLowerCase()))
  const why: Record<string, string> = Object.fromEntries(extra.map((address) => [address.toLowerCase(), LISTED]))
  for (const address of to) {
    const reasons = found.filter((one) => one.address?.toLowerCase() === address.toLowerCase())
    why[address.toLowerCase()] = toYou(reasons)
  }
  if (later.length > 0) why['*'] = toYou(found.filter((one) => one.later !== undefined))
  const others = found.filter(({ reasons }) => reasons.some(({ kind }) => kind !== 'change'))
  const told = others.flatMap(({ who, address, reasons }) =>
    address === undefined ? [] : `${who} (${[...new Set(reasons.map(toAll))].join(', ')})`,
  )
  const both = { later, why, told, untold: found.flatMap(({ untold }) => untold ?? []) }
  return to.length + later.length > 0 ? { to, cc: extra, ...both } : { to: extra, cc: [], ...both }
}

/** With what news it is, for those who subscribed to some. */
export const interestingOf = (event: BuildFinished): InterestingBuild => ({ ...event, kinds: newsOfBuild(event).kinds })

/** Of several builds together: each person once, with all their reasons. */
async function interestedIn(
  { people }: Pick<Host, 'people'>,
  builds: readonly InterestingBuild[],
): Promise<readonly InterestedPerson[]> {
  const reasons = new Map<string, readonly InterestReason[]>()
  for (const build of builds)
    for (const one of await people.interested(build, 'mail'))
      reasons.set(one.who, [...(reasons.get(one.who) ?? []), ...one.reasons])
  return [...reasons].map(([who, list]) => ({ who, reasons: list }))
}

const toYou = (people: readonly Pick<InterestedPerson, 'reasons'>[]) =>
  [...new Set(people.flatMap(({ reasons }) => reasons).map(toOne))].join('; ')

function toOne(reason: InterestReason): string {
  switch (reason.kind) {
    case 'change':
      return 'a change of yours is in the build'
    case 'owner':
      return `you own ${reason.pattern}`
    case 'sheriff':
      return 'you are the sheriff of the day'
    case 'subscriber':
      return `you subscribed to ${reason.what}`
  }
}

function toAll(reason: InterestReason): string {
  switch (reason.kind) {
    case 'change':
      return 'a change'
    case 'owner':
      return `owns ${reason.pattern}`
    case 'sheriff':
      return 'sheriff'
    case 'subscriber':
      return `subscribed to ${reason.what}`
  }
}

/** For the outbox. */
export function everybody({ to, cc, later }: Pick<Recipients, 'to' | 'cc' | 'later'>): readonly Recipient[] {
  return [
    ...[...to, ...cc].map((address): Recipient => ({ scheme: 'mail', address })),
    ...later.map((who): Recipient => ({ who, via: ['mail'] })),
  ]
}

/** The mail address of a person: as the option `lookup` says, else as the config does. */
export async function findAddress(
  { people, clock }: Pick<Host, 'people' | 'clock'>,
  { lookup }: Pick<Mailing, 'lookup'>,
  who: string,
): Promise<string | null> {
  if (lookup === undefined) return people.mailAddress(who)
  const slow = Promise.withResolvers<never>()
  using _ = clock.timer(LOOKUP_MS, () => slow.reject(lookupSlow(who, LOOKUP_MS)))
  return await Promise.race([Promise.try(lookup, who), slow.promise])
}

interface Reached {
  readonly address?: string
  readonly later?: string
  readonly untold?: string
}

async function reach(
  host: Pick<Host, 'log' | 'people' | 'clock'>,
  options: Pick<Mailing, 'lookup'>,
  who: string,
): Promise<Reached> {
  let found: string | null
  try {
    found = await findAddress(host, options, who)
  } catch (error) {
    host.log.error('mail address could not be looked up, the mail to this person waits', { who, error })
    return { later: who, untold: `${who} (not yet: the lookup of the address failed)` }
  }
  if (found === null) {
    host.log.warn('no mail address known, no mail to this person', { who })
    return { untold: `${who} (no mail address is known)` }
  }
  const address = typeof found === 'string' ? parseAddress(found)?.address : undefined
  if (address === undefined || !isAddress(address)) {
    host.log.warn('not a plain mail address, no mail to this person', { who, address: found })
    return { untold: `${who} (what is known is not a plain mail address)` }
  }
  return { address }
}
