import type { BuildFinished, Host } from 'boltbot/plugin-sdk'
import { isAddress, parseAddress, unique } from './address.ts'
import { lookupFailed } from './errors.ts'
import type { Mailing } from './options.ts'

export interface Recipients {
  readonly to: readonly string[]
  readonly cc: readonly string[]
  /** True: those in `to` have their changes in the build; else they are the extra recipients. */
  readonly interested: boolean
}

/** The mails of later builds wait meanwhile. */
const PATIENCE_MS = 3_600_000

/**
 * Who is told: those in the blamelist, and the extra recipients. An address that is not a plain one is left out.
 * @throws CiError `BOLT_MAIL_LOOKUP` when the lookup fails, in the first hour after the build.
 */
export async function recipientsOf(
  host: Pick<Host, 'log' | 'people' | 'clock'>,
  options: Mailing,
  { blamelist, at }: Pick<BuildFinished, 'blamelist' | 'at'>,
): Promise<Recipients> {
  const passOver = host.clock.now() - at > PATIENCE_MS
  const interested: string[] = []
  for (const who of options.sendToInterestedUsers ? blamelist : []) {
    const address = await addressOf(host, options, who, passOver)
    if (address !== undefined) interested.push(address)
  }
  const to = unique(interested)
  const named = new Set(to.map((address) => address.toLowerCase()))
  const extra = unique(options.extraRecipients).filter((address) => !named.has(address.toLowerCase()))
  return to.length === 0 ? { to: extra, cc: [], interested: false } : { to, cc: extra, interested: true }
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
