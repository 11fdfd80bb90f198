import { createHash } from 'node:crypto'
import { type Host, type HttpAnswer, type HttpHandler, type HttpRequest, messageOf } from 'boltbot/plugin-sdk'
import { createDeliveries } from './deliveries.ts'
import type { Forge, News } from './forges/forge.ts'
import { PayloadError } from './forges/payload.ts'
import type { Webhook } from './options.ts'
import { createTaker, type Taken } from './take-news.ts'

/** Answers what is posted: from the signature to a sentence that says what came of it. Deliveries are taken one after the other. */
export function createReceiver(host: Host, forge: Forge, options: Webhook): HttpHandler {
  const take = createTaker(host, options)
  const deliveries = createDeliveries(host)
  const warnOfStrangers = seldom(host, (count, client) =>
    host.log.warn('deliveries with a wrong signature, or none', { forge: forge.title, count, client }),
  )
  let last: Promise<unknown> = Promise.resolve()

  async function receive(request: HttpRequest, news: News): Promise<HttpAnswer> {
    const delivery = identityOf(forge, request, news)
    if (delivery !== null && (await deliveries.has(delivery)))
      return said(options, { taken: 0, known: 0, refused: [] }, 'This was delivered before; nothing new is stored.')
    const taken = await take(news)
    // What a poller was asked for may be asked again: it may have failed.
    if (delivery !== null && taken.left.length === 0) await deliveries.add(delivery)
    host.log.info('delivery taken', {
      ...('repository' in news && { repository: news.repository.fullName }),
      ...summary(taken),
    })
    return said(options, taken, sentence(taken))
  }

  return async (request) => {
    if (!options.unsigned || options.secret !== undefined) {
      const secret = host.secrets.resolve(options.secret!) // the schema wants one of the two
      if (secret === '' || !forge.isSigned(request, secret)) {
        warnOfStrangers(request.client)
        return plainly(401, `The secret is wrong or missing: give ${forge.title} the one of this webhook.`)
      }
    }
    try {
      const news = forge.read(request)
      const turn = last.then(() => receive(request, news))
      last = turn.catch(() => {}) // it is answered below
      return await turn
    } catch (error) {
      if (error instanceof PayloadError) return plainly(error.status, error.message)
      host.log.error('delivery could not be stored', { forge: forge.title, error })
      return plainly(503, `It could not be stored, try again later: ${messageOf(error)}`)
    }
  }
}

function identityOf(forge: Forge, request: HttpRequest, news: News): string | null {
  if (news.kind === 'nothing') return null
  const identity = forge.identity === undefined ? 'body' : forge.identity(request, news)
  return identity === 'body' ? createHash('sha256').update(request.body).digest('hex') : identity
}

/** Programs read numbers, people at a forge a sentence. */
function said(
  { forge }: Webhook,
  { taken, known, refused }: Pick<Taken, 'taken' | 'known' | 'refused'>,
  text: string,
): HttpAnswer {
  if (forge !== 'plain') return plainly(200, text)
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { headers, body: `${JSON.stringify({ taken, known, refused })}\n` }
}

function sentence({ taken, known, refused, left, ignored }: Taken): string {
  const parts = [
    ...(taken > 0 ? [`${count(taken)} taken`] : []),
    ...(known > 0 ? [`${count(known)} known before`] : []),
    ...refused.map((why) => `one refused: ${why.replace(/\.$/, '')}`),
    ...left.map((branch) => `a poller looks at "${branch}" now`),
    ...ignored.map((why) => `ignored: ${why}`),
  ]
  const text = parts.join('; ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

const count = (changes: number) => `${changes} ${changes === 1 ? 'change' : 'changes'}`

const summary = ({ taken, known, refused, left, ignored }: Taken) => ({
  taken,
  known,
  ...(refused.length > 0 && { refused }),
  ...(left.length > 0 && { left }),
  ...(ignored.length > 0 && { ignored }),
})

const plainly = (status: number, text: string): HttpAnswer => ({
  status,
  headers: { 'cache-control': 'no-store' },
  body: `${text}\n`,
})

const MINUTE = 60_000

/** At most once a minute, with how often it was. */
function seldom(
  { clock }: Pick<Host, 'clock'>,
  tell: (count: number, client: string) => void,
): (client: string) => void {
  let count = 0
  let told = Number.NEGATIVE_INFINITY
  return (client) => {
    count++
    if (clock.now() - told < MINUTE) return
    tell(count, client)
    told = clock.now()
    count = 0
  }
}
