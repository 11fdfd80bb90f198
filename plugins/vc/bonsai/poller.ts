import { CiError, definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { registerHistoryPoller } from '../history-poller.ts'
import { type CheckedPoller, type PollerOptions, pollerFields, text } from '../poller-options.ts'
import { newInWindow, windowStart } from '../time-window.ts'
import { withoutSecrets } from '../url-secrets.ts'
import { bonsaiFailed, bonsaiTooLong } from './errors.ts'
import { parseCommits, queryUrl } from './query.ts'

export interface BonsaiPollerOptions extends PollerOptions {
  /** The address of Bonsai, where `cvsquery.cgi` is. */
  readonly bonsaiurl: string
  readonly treeid: string
  readonly cvsroot: string
  /** Default `all`. */
  readonly module?: string | undefined
  /** Default `HEAD`, which is the default branch of changes. */
  readonly branch?: string | undefined
}

interface CheckedBonsai extends CheckedPoller {
  readonly bonsaiurl: string
  readonly treeid: string
  readonly cvsroot: string
  readonly module: string
  readonly branch: string
}

const name = text.min(1, 'Give a text that is not empty.')
const schema: Schema<BonsaiPollerOptions, CheckedBonsai> = z.strictObject({
  ...pollerFields,
  bonsaiurl: text.refine((url) => /^https?:\/\/[^/]+/.test(url), 'Give a URL, as in https://bonsai.example.org.'),
  treeid: name,
  cvsroot: name,
  module: name.default('all'),
  branch: name.default('HEAD'),
})

const MAX_ANSWER = 32 << 20

/**
 * Asks a Bonsai server what was committed to a CVS tree. The first poll only notes what there is.
 * @example bonsaiPoller({ bonsaiurl: 'https://bonsai.example.org', treeid: 'Hello', cvsroot: '/cvsroot', pollInterval: '30s' })
 */
export const bonsaiPoller = definePlugin({
  name: 'vc/bonsai',
  kind: 'source',
  needs: ['changes', 'pollers', 'state'],
  schema,
  id: ({ bonsaiurl, treeid }) => `bonsai ${withoutSecrets(bonsaiurl)} ${treeid}`,
  apply(host, options) {
    const repository = `${withoutSecrets(options.bonsaiurl)} ${options.treeid}`
    const branch = options.branch === 'HEAD' ? null : options.branch
    registerHistoryPoller(host, options, {
      repository,
      async since(position, signal) {
        const now = host.clock.now()
        const xml = await ask(queryUrl(options, windowStart(position, now)), signal)
        const found = parseCommits(xml, branch)
        const keyed = found.map((one) => ({
          ...one,
          commit: { ...one.commit, key: `bonsai ${repository} ${options.branch} ${one.id}` },
        }))
        return newInWindow(position, keyed, now)
      },
    })
  },
})

async function ask(url: URL, signal: AbortSignal): Promise<string> {
  const { username, password } = url
  const headers: Record<string, string> =
    username === ''
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`,
        }
  url.username = ''
  url.password = ''
  try {
    const answer = await fetch(url, { signal, headers })
    if (!answer.ok) throw bonsaiFailed(url.origin, `it answers ${answer.status}`)
    const bytes = await readAll(answer, url.origin)
    const charset = /^<\?xml[^>]*\bencoding=["']([\w.:-]+)["']/.exec(bytes.subarray(0, 200).toString('latin1'))?.[1]
    return new TextDecoder(knownCharset(charset)).decode(bytes)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof CiError ? error : bonsaiFailed(url.origin, 'it cannot be reached', error)
  }
}

async function readAll(answer: Response, origin: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of answer.body ?? []) {
    length += part.length
    if (length > MAX_ANSWER) throw bonsaiTooLong(origin, MAX_ANSWER)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function knownCharset(charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).encoding
  } catch {
    return 'utf-8'
  }
}
