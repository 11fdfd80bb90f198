import type { Clock } from 'boltbot/plugin-sdk'
import type { Client } from './client.ts'

/** Who was there lately: by what the server vouches for. */
export interface Presence {
  /** The nick of somebody who spoke or came within `ms`; `undefined`: they are not there. @example nickOf('account:jane', 3_600_000) */
  nickOf(identity: string, ms: number): string | undefined
}

interface Seen {
  readonly nick: string
  readonly account: string | undefined
  readonly mask: string
  readonly at: number
}

const MOST = 5000

export function watchPresence(client: Client, clock: Clock): Presence {
  const seen = new Map<string, Seen>()
  const lower = (nick: string) => client.caseLower(nick)
  const note = (event: { nick: string; ident?: string; hostname?: string; account?: string | false }) => {
    const { nick, ident = '', hostname = '', account } = event
    if (!nick || client.caseCompare(nick, client.user.nick)) return
    const mask = `${ident}@${hostname}`
    const before = seen.get(lower(nick))
    seen.delete(lower(nick))
    // Without tags nothing is said of the account: what was heard before still holds, until the server tells a change.
    const isTold = account !== undefined || client.network.cap.isEnabled('account-tag')
    const told = account === false || account === '' || account === '*' ? undefined : account
    const kept = before?.mask === mask ? before.account : undefined
    seen.set(lower(nick), { nick, account: isTold ? told : kept, mask, at: clock.now() })
    for (const oldest of seen.keys()) {
      if (seen.size <= MOST) break
      seen.delete(oldest)
    }
  }
  client.on('privmsg', note)
  client.on('join', note)
  client.on('account', (event) => {
    const before = seen.get(lower(event.nick))
    if (before) seen.set(lower(event.nick), { ...before, account: event.account === false ? undefined : event.account })
  })
  client.on('nick', ({ nick, new_nick }) => {
    const before = seen.get(lower(nick))
    seen.delete(lower(nick))
    if (before) seen.set(lower(new_nick), { ...before, nick: new_nick })
  })
  client.on('quit', ({ nick }) => void seen.delete(lower(nick)))
  return {
    nickOf(identity, ms) {
      const fits = ({ nick, account, mask }: Seen) => {
        if (identity.startsWith('nick:')) return client.caseCompare(nick, identity.slice('nick:'.length))
        if (identity.startsWith('account:'))
          return account !== undefined && `account:${account}`.toLowerCase() === identity.toLowerCase()
        return fitsMask(mask, identity.replace(/^host:/, ''))
      }
      const found = [...seen.values()].filter((one) => clock.now() - one.at <= ms && fits(one))
      return found.at(-1)?.nick
    },
  }
}

function fitsMask(mask: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(mask)
}
