import type { Clock } from 'boltbot/plugin-sdk'
import type { Client } from './client.ts'
import { type Members, watchMembers } from './members.ts'
import { type Activity, fits, type Presence, type Seen, watchPresence } from './presence.ts'
import { createRoster, type Roster } from './roster.ts'
import type { Session } from './session.ts'
import { accountIn, whois } from './whois.ts'

/** Who is around, over one connection. */
export interface Company extends Pick<Presence, 'seen'>, Pick<Roster, 'begin' | 'isSettled'>, Disposable {
  readonly members: Members
  /** Whether the nick is still of the person with that identity; `undefined`: the server does not say. */
  isStill(seen: Seen, identity: string): Promise<boolean | undefined>
}

export function watchCompany(client: Client, session: Session, clock: Clock, activity: Activity): Company {
  const members = watchMembers(client)
  const presence = watchPresence(client, clock, activity)
  const roster = createRoster(client, clock, presence, session.raw)
  client.on('irc error', ({ error, nick }) => {
    if (error === 'no_such_nick' && nick !== undefined) presence.forget(nick)
  })
  return {
    members,
    seen: presence.seen,
    begin: roster.begin,
    get isSettled() {
      return roster.isSettled
    },
    async isStill(seen, identity) {
      // Who is in a channel with the bot does not go, or take another nick, unseen.
      if (members.has(seen.nick)) return true
      const answer = await whois(client, clock, seen.nick)
      if (answer === undefined) return undefined
      const { ident = '', hostname = '', account, error } = answer
      const found = { nick: seen.nick, account: accountIn(account), mask: `${ident}@${hostname}` }
      if (error === undefined && fits(found, identity, client)) return true
      presence.forget(seen.nick)
      return false
    },
    [Symbol.dispose]: () => roster[Symbol.dispose](),
  }
}
