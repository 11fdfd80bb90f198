import { type Chat, type Host, messageOf } from 'boltbot/plugin-sdk'

/**
 * Private talks on a network. They stay open, also over a restart, so that what was promised there is told; the oldest are closed.
 */
export interface Talks extends Disposable {
  /** The talk with a nick, which it now is the newest of. */
  with(nick: string): Chat
  /** Opens those of the process before. */
  recall(): Promise<void>
}

const MOST = 200

export function createTalks(host: Host, network: string, open: (nick: string) => Chat): Talks {
  const talks = new Map<string, Chat>()
  const stored = `talks/${network}`

  function put(nick: string): { readonly talk: Chat; readonly isNew: boolean } {
    const key = nick.toLowerCase()
    const before = talks.get(key)
    const talk = before ?? open(nick)
    talks.delete(key)
    talks.set(key, talk)
    for (const [old, oldest] of talks) {
      if (talks.size <= MOST) break
      talks.delete(old)
      oldest[Symbol.dispose]()
    }
    return { talk, isNew: before === undefined }
  }

  return {
    with(nick) {
      const { talk, isNew } = put(nick)
      if (isNew)
        host.state
          .set(stored, [...talks.keys()])
          .catch((error: unknown) => host.log.warn('a talk is not kept', { network, why: messageOf(error) }))
      return talk
    },
    async recall() {
      const known = await host.state.get(stored)
      if (!Array.isArray(known)) return
      for (const nick of known) if (typeof nick === 'string') put(nick)
    },
    [Symbol.dispose]() {
      for (const talk of talks.values()) talk[Symbol.dispose]()
      talks.clear()
    },
  }
}
