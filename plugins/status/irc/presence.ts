import type { Clock } from 'boltbot/plugin-sdk'
import type { Client } from './client.ts'
import { accountIn } from './whois.ts'

/** Who was there lately: by what the server vouches for. */
export interface Presence {
  /** Who spoke or came last within `ms`, of those it fits; `undefined`: they are not there. @example seen('account:jane', 3_600_000) */
  seen(identity: string, ms: number): Seen | undefined
  /** What the server says when it is asked. `isAway`: they are logged in, but not there. */
  listed(person: Pick<Seen, 'nick' | 'account' | 'mask'>, isAway: boolean): void
  /** The nick is somebody else's now, or nobody's. */
  forget(nick: string): void
}

export interface Seen {
  readonly nick: string
  readonly account: string | undefined
  /** `user@host`. */
  readonly mask: string
  readonly at: number
}

/** When each was last active, by account or else by mask: over all connections of a bot. */
export type Activity = Map<string, number>

const MOST = 5000

export function watchPresence(client: Client, clock: Clock, activity: Activity = new Map()): Presence {
  const all = new Map<string, Seen>()
  const lower = (nick: string) => client.caseLower(nick)
  const of = (nick: string) => all.get(lower(nick))
  /** At the end: the oldest are forgotten first. */
  const put = (seen: Seen) => {
    all.delete(lower(seen.nick))
    all.set(lower(seen.nick), seen)
    for (const oldest of all.keys()) {
      if (all.size <= MOST) break
      all.delete(oldest)
    }
  }
  /** At the end, as above. */
  const noteActive = ({ account, mask, at }: Seen) => {
    const key = account ?? mask
    activity.delete(key)
    activity.set(key, at)
    for (const oldest of activity.keys()) {
      if (activity.size <= MOST) break
      activity.delete(oldest)
    }
  }
  const isMe = (nick: string) => client.caseCompare(nick, client.user.nick)

  const note = (event: {
    readonly nick: string
    readonly ident?: string
    readonly hostname?: string
    readonly account?: string | false
    readonly tags?: { readonly account?: string }
  }) => {
    const { nick, ident = '', hostname = '', account = event.tags?.account } = event
    if (!nick || isMe(nick)) return
    const mask = `${ident}@${hostname}`
    const before = of(nick)
    // Without tags nothing is said of the account: what was heard before still holds, until the server tells a change.
    const isTold = account !== undefined || client.network.cap.isEnabled('account-tag')
    const kept = before?.mask === mask ? before.account : undefined
    const seen = { nick, mask, account: isTold ? accountIn(account) : kept, at: clock.now() }
    put(seen)
    noteActive(seen)
  }
  client.on('privmsg', note)
  client.on('join', note)
  client.on('account', ({ nick, account }) => {
    const before = of(nick)
    if (before) all.set(lower(nick), { ...before, account: accountIn(account) })
  })
  client.on('user updated', ({ nick, new_ident, new_hostname }) => {
    const before = of(nick)
    if (before && new_ident && new_hostname) all.set(lower(nick), { ...before, mask: `${new_ident}@${new_hostname}` })
  })
  client.on('nick', ({ nick, new_nick }) => {
    const before = of(nick)
    all.delete(lower(nick))
    if (before) put({ ...before, nick: new_nick })
  })
  client.on('quit', ({ nick }) => void all.delete(lower(nick)))
  return {
    seen(identity, ms) {
      const found = [...all.values()].filter((one) => clock.now() - one.at <= ms && fits(one, identity, client))
      return found.reduce<Seen | undefined>(
        (last, one) => (last === undefined || one.at >= last.at ? one : last),
        undefined,
      )
    },
    listed(person, isAway) {
      if (isMe(person.nick)) return
      const before = of(person.nick)
      // Whom the bot knew before a broken connection did not come only because the bot did.
      const known = activity.get(person.account ?? person.mask)
      const at = isAway ? Number.NEGATIVE_INFINITY : (known ?? clock.now())
      const seen = { ...person, at: before?.mask === person.mask ? Math.max(before.at, at) : at }
      put(seen)
      if (!isAway && known === undefined) noteActive(seen)
    },
    forget: (nick) => void all.delete(lower(nick)),
  }
}

/** Whether it is the person with this identity, as the server sees them. */
export function fits(
  { nick, account, mask }: Pick<Seen, 'nick' | 'account' | 'mask'>,
  identity: string,
  client: Pick<Client, 'caseCompare'>,
): boolean {
  if (identity.startsWith('nick:')) return client.caseCompare(nick, identity.slice('nick:'.length))
  if (identity.startsWith('account:'))
    return account !== undefined && `account:${account}`.toLowerCase() === identity.toLowerCase()
  const parts = identity
    .replace(/^host:/, '')
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(mask)
}
