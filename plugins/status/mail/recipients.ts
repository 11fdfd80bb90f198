import type { BuildFinished, Host, Recipient } from 'boltbot/plugin-sdk'
import { isAddress, parseAddress, unique } from './address.ts'
import { lookupSlow } from './errors.ts'
import type { Mailing } from './options.ts'

export interface Recipients {
  readonly to: readonly string[]
  readonly cc: readonly string[]
  /** Whose address cannot be told at present: the outbox asks for it again until it is known. */
  readonly later: readonly string[]
  /** True: those in `to` have their changes in the build; else they are the extra recipients. */
  readonly interested: boolean
  /** Who has no mail of their own, for the readers: `bob (no mail address is known)`. */
  readonly untold: readonly string[]
}

const LOOKUP_MS = 10_000

/** Who is told: those in the blamelist, and the extra recipients. An address that is not a plain one is left out. */
export async function recipientsOf(
  host: Pick<Host, 'log' | 'people' | 'clock'>,
  options: Mailing,
  { blamelist }: Pick<BuildFinished, 'blamelist'>,
): Promise<Recipients> {
  const wanted = options.sendToInterestedUsers ? [...new Set(blamelist)] : []
  const found = await Promise.all(wanted.map((who) => reach(host, options, who)))
  const to = unique(found.flatMap(({ address }) => address ?? []))
  const later = found.flatMap(({ later }) => later ?? [])
  const untold = found.flatMap(({ untold }) => untold ?? [])
  const named = new Set(to.map((address) => address.toLowerCase()))
  const extra = unique(options.extraRecipients).filter((address) => !named.has(address.toLowerCase()))
  const interested = to.length + later.length > 0
  return interested ? { to, cc: extra, later, interested, untold } : { to: extra, cc: [], later, interested, untold }
}

/** For the outbox. */
export function everybody({ to, cc, later }: Recipients): readonly Recipient[] {
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
