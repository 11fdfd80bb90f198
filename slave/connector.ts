import { WebSocket } from 'ws'
import { SUBPROTOCOL } from '../wire/agent/accept.ts'
import { type AgentLink, createAgentLink } from '../wire/agent/agent-link.ts'
import { MAX_MESSAGE } from '../wire/agent/limits.ts'
import type { AgentMessage, HeldEntry, MasterMessage } from '../wire/agent/messages.ts'
import { joinWrites } from '../wire/agent/one-write.ts'
import type { SlaveClock } from './clock.ts'
import type { SlaveLog } from './log.ts'

/** Keeps a link to the master: dials for ever, with growing pauses. */
export interface Connector {
  start(): void
  /** Says something to the master; nothing happens without a link. */
  send(message: AgentMessage): void
  /** Closes the link and dials no more. */
  stop(reason: string): Promise<void>
  /** When the link was lost, or the connector started; `undefined` while there is one. */
  readonly lonelySince: number | undefined
}

export interface ConnectorDeps {
  readonly url: string
  readonly name: string
  readonly password: () => Promise<string>
  /** Certificate authorities for `wss:`, PEM; default: those of Node. */
  readonly ca: string | undefined
  /** Milliseconds; 0: none. */
  readonly keepalive: number
  /** Milliseconds between two attempts at most. */
  readonly maxdelay: number
  readonly clock: SlaveClock
  /** At least 0, below 1. */
  readonly random: () => number
  readonly log: SlaveLog
  readonly info: () => Promise<Info>
  readonly held: () => readonly HeldEntry[]
  readonly take: (message: MasterMessage, send: (message: AgentMessage) => void) => void
  readonly unlinked: () => void
  /** Logged in: messages may be sent. */
  readonly linked: () => void
}

export interface Info {
  readonly admin: string | null
  readonly host: string | null
  readonly program: string | null
  readonly instance: string
}

const FIRST_DELAY_MS = 250
/** Time for the connection, for the login, and for an answer to a sign of life. */
const PATIENCE_MS = 30_000
/** A link that lasted for so long was a good one: the pauses start small again. */
const GOOD_LINK_MS = 5000
const CLOSE_MS = 1000

/** The pause before attempt `attempt` (from 0): doubled each time up to the limit, and anything from the half of it to all of it. */
export function backOff(attempt: number, maxdelay: number, random: () => number): number {
  const full = Math.min(maxdelay, FIRST_DELAY_MS * 2 ** Math.min(attempt, 30))
  return full * (0.5 + random() / 2)
}

export function createConnector(deps: ConnectorDeps): Connector {
  const { url, clock, log } = deps
  let attempt = 0
  let lonelySince: number | undefined = clock.now()
  let stopped = false
  let waiting: Disposable | undefined
  let current: { readonly socket: WebSocket; readonly link: AgentLink | undefined } | undefined
  let lastReason = ''

  function again(reason: string): void {
    current = undefined
    if (stopped) return
    const delay = backOff(attempt++, deps.maxdelay, deps.random)
    // A master that is away for days shall not fill the log.
    if (reason !== lastReason) log.warn('no link to the master', { url, reason, retryMs: Math.round(delay) })
    lastReason = reason
    waiting = clock.timer(delay, () => void dial())
  }

  async function dial(): Promise<void> {
    let password: string
    let info: Info
    try {
      password = await deps.password()
      info = await deps.info()
    } catch (error) {
      return again(error instanceof Error ? error.message : String(error))
    }
    if (stopped) return
    const socket = new WebSocket(url, SUBPROTOCOL, {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE,
      handshakeTimeout: PATIENCE_MS,
      ...(deps.ca === undefined ? {} : { ca: deps.ca }),
      ...(needsNoMask(url) ? { generateMask: (mask: Buffer) => void mask.fill(0) } : {}),
    })
    socket.binaryType = 'nodebuffer'
    let link: AgentLink | undefined
    let since = 0
    let problem: string | undefined
    /** Once per attempt, whoever notices first. */
    let over = (reason: string) => {
      over = () => {}
      again(reason)
    }
    current = { socket, link: undefined }
    let join = () => {}
    socket.on('upgrade', ({ socket: transport }) => {
      transport.on('data', () => link?.heard())
      join = joinWrites(transport)
    })
    socket.on('unexpected-response', (_, response) => {
      problem = `the master answered ${response.statusCode} ${response.statusMessage}`
      socket.terminate()
    })
    socket.on('error', (error) => {
      problem ??= error.message || String((error as NodeJS.ErrnoException).code)
    })
    socket.on('open', () => {
      link = createAgentLink({
        socket: {
          send(bytes) {
            join()
            socket.send(bytes)
          },
          close: (code, reason) => closeSocket(socket, code, reason, clock),
        },
        clock,
        name: deps.name,
        password,
        keepalive: deps.keepalive,
        patience: PATIENCE_MS,
        ready: () => ({ ...info, held: deps.held() }),
        opened() {
          since = clock.now()
          lonelySince = undefined
          lastReason = ''
          log.info('linked to the master', { url })
          deps.linked()
        },
        take: (message) => deps.take(message, (answer) => link?.send(answer)),
        closed(reason, attached) {
          if (attached) {
            lonelySince = clock.now()
            if (clock.now() - since >= GOOD_LINK_MS) attempt = 0
            deps.unlinked()
          }
          over(reason)
        },
      })
      current = { socket, link }
    })
    socket.on('message', (data) => link?.receive(data as Buffer)) // binaryType: one buffer each
    socket.on('close', (code, reason) => {
      const why = problem ?? (reason.length > 0 ? reason.toString() : `the link was closed (${code})`)
      link?.dropped(why)
      over(why)
    })
  }

  return {
    start: () => void dial(),
    send: (message) => current?.link?.send(message),
    async stop(reason) {
      stopped = true
      waiting?.[Symbol.dispose]()
      const socket = current?.socket
      if (socket === undefined || socket.readyState === WebSocket.CLOSED) return
      const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
      if (current?.link) current.link.close(reason)
      else socket.terminate()
      await closed
    },
    get lonelySince() {
      return lonelySince
    },
  }
}

/** Closes, and does not wait for the other end for long. */
function closeSocket(socket: WebSocket, code: number, reason: string, clock: SlaveClock): void {
  socket.close(code, reason.slice(0, 40)) // at most 123 bytes; the whole of it went as last words
  const timer = clock.timer(CLOSE_MS, () => socket.terminate())
  socket.once('close', () => timer[Symbol.dispose]())
}

/**
 * The mask of WebSocket frames guards proxies against bytes made to look like HTTP. Where no proxy can see them it would only cost
 * time: each byte is touched at both ends.
 */
function needsNoMask(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol !== 'ws:' || hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}
