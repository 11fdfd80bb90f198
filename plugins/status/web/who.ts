import { createHash } from 'node:crypto'
import { type Host, type HttpAnswer, type HttpRequest, isPassword } from 'boltbot/plugin-sdk'
import type { WebAccess } from './options.ts'

/** Who asks, and whether what they ask for came from a page of ours. */
export interface Gate {
  readonly canSignIn: boolean
  /** The person; `null`: nobody known; an answer when a login failed. */
  user(request: HttpRequest): Promise<string | null | HttpAnswer>
  /** An answer when a page of somebody else made the browser ask. */
  stranger(request: HttpRequest): HttpAnswer | null
  /** Asks the browser for name and password. */
  challenge(text: string): HttpAnswer
}

/** A login that was right is not worked out again for this long; one costs a tenth of a second of a processor. */
const REMEMBER_MS = 300_000
/** Failed logins of one address a minute. */
const ATTEMPTS = 10

export function createGate(host: Host, { users, userHeader }: WebAccess): Gate {
  const hasUsers = Object.keys(users).length > 0
  /** Logins that were right, by a hash of what was sent. */
  const known = new Map<string, { readonly user: string; readonly until: number }>()
  const failures = new Map<string, { count: number; readonly until: number }>()
  const challenge = (text: string): HttpAnswer => ({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="Boltbot", charset="UTF-8"', 'cache-control': 'no-store' },
    body: `${text}\n`,
  })

  const byPassword = async (header: string, client: string): Promise<string | HttpAnswer> => {
    const now = host.clock.now()
    const key = createHash('sha256').update(header).digest('base64')
    const remembered = known.get(key)
    if (remembered && remembered.until > now) return remembered.user
    const failed = failures.get(client)
    if (failed && failed.until > now && failed.count >= ATTEMPTS)
      return { status: 429, headers: { 'retry-after': '60' }, body: 'Too many wrong passwords; wait a minute.\n' }
    const [user = '', ...rest] = Buffer.from(header.slice(6), 'base64').toString().split(':')
    const stored = Object.hasOwn(users, user) ? host.secrets.resolve(users[user]!) : NOBODY
    if ((await isPassword(rest.join(':'), stored.trim())) && stored !== NOBODY) {
      for (const [old, { until }] of known) if (until <= now) known.delete(old)
      known.set(key, { user, until: now + REMEMBER_MS })
      return user
    }
    for (const [old, { until }] of failures) if (until <= now) failures.delete(old)
    const count = (failures.get(client)?.count ?? 0) + 1
    failures.set(client, { count, until: failures.get(client)?.until ?? now + 60_000 })
    host.log.warn('login refused', { user, client })
    return challenge('This name and password do not fit.')
  }

  const publicOrigin = () => {
    const url = host.http.url()
    return url === null ? undefined : new URL(url).origin
  }
  return {
    canSignIn: hasUsers,
    challenge,
    async user({ headers, proxied, client }) {
      const named = userHeader !== undefined && proxied ? headers[userHeader]?.trim() : undefined
      if (named) return /\p{Cc}/u.test(named) ? null : named
      const given = headers.authorization
      return hasUsers && given && /^basic /i.test(given) ? byPassword(given, client) : null
    },
    stranger({ headers, origin }) {
      const site = headers['sec-fetch-site']
      const from = headers.origin
      // Browsers say where a request comes from; programs that say nothing have no cookies or passwords of a browser.
      const isOurs =
        site === 'same-origin' ||
        site === 'none' ||
        (site === undefined && (from === undefined || from === origin || from === publicOrigin()))
      return isOurs
        ? null
        : { status: 403, body: 'This was asked for by a page of another site, so it was not done.\n' }
    },
  }
}

/** Of a user there is none of: as slow to compare as a real one. It is the hash of chance that nobody kept. */
const NOBODY = '$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
