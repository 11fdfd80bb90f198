import type { Seen } from './presence.ts'
import type { NetworkBot } from './supervisor.ts'

/** The bots of all IRC plugins of a master: whichever plugin carries a message, the bot that sees the person tells them. */
export interface Bots extends Disposable {
  /** Until it is disposed. */
  add(bot: NetworkBot): Disposable
  all(): readonly NetworkBot[]
  /** Who of these identities was seen last, within `ms`. */
  lastSeen(identities: readonly string[], ms: number): Sighting | undefined
}

export interface Sighting {
  readonly bot: NetworkBot
  readonly identity: string
  readonly seen: Seen
}

export function createBots(): Bots {
  const bots = new Set<NetworkBot>()
  return {
    add(bot) {
      bots.add(bot)
      return { [Symbol.dispose]: () => void bots.delete(bot) }
    },
    all: () => [...bots],
    lastSeen(identities, ms) {
      let last: Sighting | undefined
      for (const identity of identities)
        for (const bot of bots) {
          const seen = bot.seen(identity, ms)
          if (seen !== undefined && (last === undefined || seen.at > last.seen.at)) last = { bot, identity, seen }
        }
      return last
    },
    [Symbol.dispose]: () => bots.clear(),
  }
}
