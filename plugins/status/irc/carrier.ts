import type { Carrier, Handover, Host } from 'boltbot/plugin-sdk'
import type { Bots } from './bots.ts'

/** So long a message waits for networks that are down; then the person gets it otherwise. */
const WAIT_MS = 900_000
/** Of a long text; a mail or a page shows the rest. */
const MOST_LINES = 4

/** Messages of the outbox for people on IRC: told in private, to whom the server vouches for, if they were there lately. */
export function createCarrier(host: Host, bots: () => Bots | undefined, awayMs: number): Carrier {
  const { clock } = host

  /** The bots that could come to see somebody, but cannot say yet. */
  const hopeful = (identity: string) => (bots()?.all() ?? []).filter((bot) => bot.mayKnow(identity) && !bot.isSettled())

  function unseen(identity: string, createdAt: number): Handover {
    if (hopeful(identity).length === 0) return { status: 'absent', reason: `${identity} was not seen on IRC lately` }
    const reason = 'the IRC network cannot be reached'
    if (clock.now() - createdAt >= WAIT_MS) return { status: 'absent', reason }
    const isAlone = !bots()
      ?.all()
      .some((bot) => bot.isSettled())
    return { status: 'later', about: isAlone ? 'carrier' : 'recipient', reason }
  }

  return {
    scheme: 'irc',
    async addressOf(who) {
      const identities = await host.people.ircIdentities(who)
      const last = bots()?.lastSeen(identities, awayMs)
      return last?.identity ?? identities.find((one) => hopeful(one).length > 0) ?? identities[0] ?? null
    },
    async deliver({ address, subject, text, createdAt }) {
      const last = bots()?.lastSeen([address], awayMs)
      if (last === undefined) return unseen(address, createdAt)
      const lines = text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && line !== subject)
      const more = lines.length > MOST_LINES ? ['…'] : []
      const told = await last.bot.tell(last, [subject, ...lines.slice(0, MOST_LINES), ...more])
      switch (told) {
        case 'told':
          return { status: 'delivered' }
        case 'gone':
          return { status: 'absent', reason: `${address} has left` }
        case 'unsure':
          return { status: 'later', about: 'recipient', reason: `the server does not say who ${last.seen.nick} is` }
        case 'lost':
          return { status: 'later', about: 'carrier', reason: 'the connection ended', inDoubt: true }
      }
    },
  }
}
