import type { Carrier, Host } from 'boltbot/plugin-sdk'
import type { NetworkBot } from './supervisor.ts'

/** So long a message waits for networks that are down; then the person gets it otherwise. */
const WAIT_MS = 900_000
/** Of a long text; a mail or a page shows the rest. */
const MOST_LINES = 4

/** Messages of the outbox for people on IRC: told in private, to whom the server vouches for, if they were there lately. */
export function createCarrier(host: Host, bots: () => readonly NetworkBot[], awayMs: number): Carrier {
  const { clock } = host
  return {
    scheme: 'irc',
    async addressOf(who) {
      const identities = await host.people.ircIdentities(who)
      return (
        identities.find((one) => bots().some((bot) => bot.nickOf(one, awayMs) !== undefined)) ?? identities[0] ?? null
      )
    },
    async deliver({ address, subject, text, createdAt }) {
      const bot = bots().find((one) => one.nickOf(address, awayMs) !== undefined)
      const nick = bot?.nickOf(address, awayMs)
      if (bot === undefined || nick === undefined) {
        const isUp = bots().some((one) => one.isThere())
        if (isUp) return { status: 'absent', reason: `${address} was not seen on IRC lately` }
        if (clock.now() - createdAt >= WAIT_MS) return { status: 'absent', reason: 'no IRC network can be reached' }
        return { status: 'later', about: 'carrier', reason: 'no IRC network can be reached' }
      }
      const lines = text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && line !== subject)
      const more = lines.length > MOST_LINES ? ['…'] : []
      const isSent = await bot.tell(nick, [subject, ...lines.slice(0, MOST_LINES), ...more])
      if (isSent) return { status: 'delivered' }
      return { status: 'later', about: 'carrier', reason: 'the connection ended', inDoubt: true }
    },
  }
}
