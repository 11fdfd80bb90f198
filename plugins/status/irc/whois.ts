import type { Clock } from 'boltbot/plugin-sdk'
import type { Client, Whois } from './client.ts'

/** Longer than a server takes. */
const WHOIS_MS = 10_000

/** What the server says of a nick; `undefined`: nothing in time. */
export async function whois(client: Client, clock: Clock, nick: string): Promise<Whois | undefined> {
  const { promise, resolve } = Promise.withResolvers<Whois | undefined>()
  using _ = clock.timer(WHOIS_MS, () => resolve(undefined))
  client.whois(nick, resolve)
  return await promise
}

/** An account as servers write it; `undefined`: not logged in. */
export const accountIn = (said: string | false | undefined) =>
  said === undefined || said === false || /^(|\*|0)$/.test(said) ? undefined : said
