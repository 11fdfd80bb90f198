import type { Host } from 'boltbot/plugin-sdk'
import { isAddress, parseAddress, unique } from './address.ts'
import { lookupFailed } from './errors.ts'
import type { Mailing } from './options.ts'

export interface Recipients {
  readonly to: readonly string[]
  readonly cc: readonly string[]
}

/**
 * Who is told: those in the blamelist, and the extra recipients. An address that is not a plain one is left out.
 * @throws CiError `BOLT_MAIL_LOOKUP` when the lookup fails, unless `passOver`.
 */
export async function recipientsOf(
  host: Pick<Host, 'log' | 'people'>,
  options: Mailing,
  blamelist: readonly string[],
  passOver: boolean,
): Promise<Recipients> {
  const interested: string[] = []
  for (const who of options.sendToInterestedUsers ? blamelist : []) {
    const address = await addressOf(host, options, who, passOver)
    if (address !== undefined) interested.push(address)
  }
  const to = unique(interested)
  const named = new Set(to.map((address) => address.toLowerCase()))
  const extra = unique(options.extraRecipients).filter((address) => !named.has(address.toLowerCase()))
  return to.length === 0 ? { to: extra, cc: [] } : { to, cc: extra }
}

async function addressOf(
  host: Pick<Host, 'log' | 'people'>,
  { lookup }: Mailing,
  who: string,
  passOver: boolean,
): Promise<string | undefined> {
  let found: string | null
  try {
    found = lookup === undefined ? host.people.mailAddress(who) : await lookup(who)
  } catch (error) {
    if (!passOver) throw lookupFailed(who, error)
    host.log.error('mail address could not be looked up, no mail to this person', { who, error })
    return undefined
  }
  if (found === null) {
    host.log.warn('no mail address known, no mail to this person', { who })
    return undefined
  }
  const address = typeof found === 'string' ? parseAddress(found)?.address : undefined
  if (address === undefined || !isAddress(address)) {
    host.log.warn('not a plain mail address, no mail to this person', { who, address: found })
    return undefined
  }
  return address
}
