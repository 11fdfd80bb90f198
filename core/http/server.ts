import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Clock, HttpAnswer, HttpMethod, HttpRequestFacts, Log } from 'boltbot/plugin-sdk'
import { createServer } from '../../wire/http-server.ts'
import { type Client, isOwnName } from './client.ts'
import { cannotListen, portTaken } from './errors.ts'
import { readBody } from './read-body.ts'
import { respond } from './respond.ts'
import { type Found, segmentsOf } from './router.ts'

/** What serves a request: made by the plugin host around a plugin's handler. */
export interface Route {
  readonly plugin: string
  readonly method: HttpMethod
  readonly path: string
  readonly maxBody: number
  /** Never rejects; what it streams may throw. */
  answer(request: HttpRequestFacts): Promise<HttpAnswer>
}

export interface ServerDeps {
  readonly clock: Clock
  readonly log: Log
  readonly clientOf: (request: IncomingMessage) => Client
  /** Waits while routes are being changed. */
  readonly find: (method: string, segments: readonly string[]) => Promise<Found<Route>>
  /** What serves pages that nothing else does. */
  readonly fallback: (method: string) => Route | undefined
  /** What stands before every path, as in `https://example.org/ci/`: `/ci`. */
  readonly prefix: () => string
  /** The host of `buildbotURL`, with its port. */
  readonly publicHost: () => string | null
  /** True: only this machine reaches it, so only its own names may be asked for. */
  readonly loopback: boolean
}

/** What strangers may take of memory and time. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000, // longer than proxies keep theirs, so that they never write into one that just closed
  connectionsCheckingInterval: 5000,
}
const CONNECTIONS = 1000
const STALL_MS = 60_000
const HEARTBEAT_MS = 15_000

export function createWebServer(deps: ServerDeps): Server {
  const server = createServer(LIMITS, (request, response) => {
    serve(request, response, deps).catch((error: unknown) => {
      if (!response.headersSent) return void sendText(response, 500, 'This page could not be sent.')
      response.destroy()
      deps.log.debug('answer broken off', { url: request.url, error })
    })
  })
  server.maxConnections = CONNECTIONS
  // Refused before it is a request: too long, too slow, or no HTTP at all.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = {
      HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
      ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
    }
    if (socket.writable)
      socket.end(
        `HTTP/1.1 ${status[error.code as keyof typeof status] ?? '400 Bad Request'}\r\nconnection: close\r\n\r\n`,
      )
    else socket.destroy()
  })
  return server
}

/** Resolves with the port. @throws CiError `BOLT_HTTP_PORT_TAKEN`, `BOLT_HTTP_LISTEN`. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? portTaken : cannotListen)(address, error)
  }
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : port
}

async function serve(request: IncomingMessage, response: ServerResponse, deps: ServerDeps): Promise<void> {
  const { clock } = deps
  const refuse = (status: number, text: string, headers?: Record<string, string>) => {
    sendText(response, status, text, { ...headers, ...(request.complete ? {} : { connection: 'close' }) })
  }
  const gone = new AbortController()
  response.on('close', () => gone.abort(new Error('the client has gone')))

  const { pathname, search } = targetOf(request.url ?? '/')
  if (deps.loopback && !isOwnName(request.headers.host, deps.publicHost()))
    return refuse(
      421,
      `"${request.headers.host}" is no name of this server. If it should be, set buildbotURL in the config.`,
    )
  const prefix = deps.prefix()
  const path =
    prefix !== '' && `${pathname}/`.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) || '/' : pathname
  const segments = segmentsOf(path)
  if (segments === undefined) return refuse(400, 'This address is malformed.')

  const method = request.method ?? 'GET'
  const found = await deps.find(method, segments)
  if (found.served === undefined && found.allowed.length > 0)
    return refuse(405, `${method} is not possible here.`, { allow: found.allowed.join(', ') })
  if (found.served === undefined && path.length > 1 && path.endsWith('/')) {
    const bare = path.replace(/\/+$/, '')
    const known = await deps.find(method, segmentsOf(bare) ?? [])
    if (known.served !== undefined) return refuse(308, 'It is here.', { location: `${prefix}${bare}${search}` })
  }
  const route = found.served ?? deps.fallback(method)
  if (route === undefined) return refuse(404, 'There is no such page.')
  const body = await readBody(request, route.maxBody)
  if (body === undefined) return refuse(413, `This is longer than the ${route.maxBody} bytes taken here.`)

  const { address, proxied, origin } = deps.clientOf(request)
  const answer = await route.answer({
    method: method as HttpMethod, // a route was found for it
    path,
    params: found.served === undefined ? {} : found.params,
    query: new URLSearchParams(search),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    ),
    body,
    client: address,
    proxied,
    origin,
    signal: gone.signal,
  })
  if (response.destroyed) return
  await respond(request, response, answer, { clock, stallMs: STALL_MS, heartbeatMs: HEARTBEAT_MS })
}

/** Path and query of a request line; some clients send the whole URL. */
function targetOf(url: string): { readonly pathname: string; readonly search: string } {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/, '')
  const cut = target.indexOf('?')
  return cut === -1
    ? { pathname: target || '/', search: '' }
    : { pathname: target.slice(0, cut) || '/', search: target.slice(cut) }
}

function sendText(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(`${text}\n`)
}
