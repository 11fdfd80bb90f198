import { type People, parseAuthor } from 'boltbot/plugin-sdk'
import type { Config } from './config/model.ts'

/** From the `who` of a change to the ways to reach that person. */
export function createPeople({ mailDomain, table }: Config['people']): People {
  const entryOf = (who: string) => (Object.hasOwn(table, who) ? table[who] : undefined)
  return {
    ircIdentities(who) {
      const inside = parseAuthor(who).address
      const irc = entryOf(who)?.irc ?? (inside === null ? undefined : entryOf(inside)?.irc) ?? []
      return typeof irc === 'string' ? [irc] : irc
    },
    mailAddress(who) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
      if (/[\u0000-\u001f\u007f]/.test(who)) return null
      const inside = parseAuthor(who).address
      const listed = entryOf(who)?.mail ?? (inside === null ? undefined : entryOf(inside)?.mail)
      if (listed !== undefined) return listed
      if (inside !== null) return inside
      const local = who.trim()
      return mailDomain !== null && ATOM.test(local) ? `${local}@${mailDomain}` : null
    },
  }
}

/** One address part as mail servers take it unquoted. Nothing else is put into an address: `who` is typed by strangers. */
const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
