import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Clock, HttpAnswer, HttpEvent } from 'boltbot/plugin-sdk'

export interface RespondDeps {
  readonly clock: Clock
  /** How long a client may take nothing of what is sent to it. */
  readonly stallMs: number
  readonly heartbeatMs: number
}

/** Sends an answer. Resolves when it is sent or the client has gone; rejects with what its iterable threw. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HttpAnswer,
  deps: RespondDeps,
): Promise<void> {
  const { status = 200, body, events } = answer
  const headers = headersOf(answer)
  if (status === 200 && isKnown(request, headers.etag)) {
    for (const name of ['content-type', 'content-length', 'content-encoding']) delete headers[name]
    response.writeHead(304, headers)
    response.end()
    return
  }
  if (events !== undefined || (typeof body === 'object' && Symbol.asyncIterator in body)) {
    response.writeHead(status, headers)
    response.flushHeaders()
    if (request.method === 'HEAD') response.end()
    else
      await stream(response, events ? eventLines(events) : (body as AsyncIterable<string | Uint8Array>), answer, deps)
    return
  }
  const plain = body === undefined ? Buffer.alloc(0) : typeof body === 'string' ? Buffer.from(body) : Buffer.from(body)
  const bytes = await packed(request, plain, headers)
  if (status !== 204 && status !== 304) headers['content-length'] = `${bytes.length}`
  if (response.destroyed) return
  response.writeHead(status, headers)
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** What a page may do unless its plugin says otherwise: nothing but be read. */
const SAFE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

function headersOf({ headers = {}, events }: HttpAnswer): Record<string, string> {
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const type = events ? 'text/event-stream; charset=utf-8' : 'text/plain; charset=utf-8'
  // Proxies must not gather a stream before they pass it on.
  const live = events ? { 'cache-control': 'no-store', 'x-accel-buffering': 'no' } : {}
  return { ...SAFE, 'content-type': type, 'cache-control': 'no-cache', ...live, ...given }
}

/** Whether the client has just this already. */
function isKnown({ method, headers }: IncomingMessage, etag: string | undefined): boolean {
  const asked = headers['if-none-match']
  if (etag === undefined || asked === undefined || (method !== 'GET' && method !== 'HEAD')) return false
  const weak = (tag: string) => tag.trim().replace(/^W\//, '')
  return asked.trim() === '*' || asked.split(',').some((tag) => weak(tag) === weak(etag))
}

const compress = promisify(gzip)
const WORTH_PACKING = 1400 // below it fits a packet anyway

async function packed(request: IncomingMessage, bytes: Buffer, headers: Record<string, string>): Promise<Buffer> {
  const isText = /^(text\/|application\/(json|javascript|xml)|image\/svg)/.test(headers['content-type'] ?? '')
  if (!isText || bytes.length < WORTH_PACKING || 'content-encoding' in headers) return bytes
  headers.vary = 'vary' in headers ? `${headers.vary}, accept-encoding` : 'accept-encoding'
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(`${request.headers['accept-encoding'] ?? ''}`)) return bytes
  headers['content-encoding'] = 'gzip'
  return compress(bytes)
}

async function stream(
  response: ServerResponse,
  pieces: AsyncIterable<string | Uint8Array>,
  { events }: HttpAnswer,
  { clock, stallMs, heartbeatMs }: RespondDeps,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  let heart: Disposable | undefined
  const beat = () => {
    heart = clock.timer(heartbeatMs, () => {
      response.write(': still here\n\n')
      beat()
    })
  }
  if (events) beat()
  try {
    for await (const piece of whileOpen(pieces, gone.signal)) {
      if (response.write(piece)) continue
      using _ = clock.timer(stallMs, () => response.destroy())
      await drained(response)
    }
    response.end()
  } catch (error) {
    response.destroy() // what was sent is no whole answer, and the client must see that
    throw error
  } finally {
    heart?.[Symbol.dispose]()
  }
}

/** The pieces until `signal` aborts, also when the next one never comes. */
export async function* whileOpen<T>(pieces: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = pieces[Symbol.asyncIterator]()
  const { promise: cut, resolve } = Promise.withResolvers<undefined>()
  const abort = () => resolve(undefined)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const next = iterator.next()
      next.catch(() => {}) // told by the race, or nobody waits for it any more
      const one = await Promise.race([next, cut])
      if (one === undefined || one.done) return
      yield one.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    Promise.resolve(iterator.return?.()).catch(() => {}) // not waited for: it may hang in what it waits for
  }
}

async function* eventLines(events: AsyncIterable<HttpEvent>): AsyncGenerator<string> {
  for await (const { id, event, data } of events) {
    const line = (name: string, value: string) => `${name}: ${value.replace(/[\r\n]+/g, ' ')}\n`
    const lines = data.split(/\r\n|\r|\n/).map((text) => `data: ${text}\n`)
    yield `${id === undefined ? '' : line('id', id)}${event === undefined ? '' : line('event', event)}${lines.join('')}\n`
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    if (response.destroyed) return resolve()
    response.on('drain', done)
    response.on('close', done)
  })
}
