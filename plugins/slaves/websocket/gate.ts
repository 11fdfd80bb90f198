import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Host } from 'boltbot/plugin-sdk'
import { WebSocketServer } from 'ws'
import { type AcceptedWebSocket, acceptAgent, SUBPROTOCOL } from '../../../wire/agent/accept.ts'
import { MAX_MESSAGE } from '../../../wire/agent/limits.ts'
import type { LinkProblem, MasterLink } from '../../../wire/agent/master-link.ts'
import { addressText } from '../../ports/address.ts'
import { createLoginAttempts } from '../../ports/login-attempts.ts'
import { linkLost, notHeld, slaveRefused } from '../errors.ts'
import type { Agents } from './options.ts'
import { isPassword, openStockGate, type StockLogin, stockLogin } from './stock-gate.ts'

/** Lets agents in: from the request for a WebSocket to the connection that core gets. */
export interface Gate {
  /** Closes all links; `reason` is told to the agents. */
  close(reason: string): void
}

export function openGate(server: Server, host: Host, options: Agents): Gate {
  const { log, clock } = host
  const attempts = createLoginAttempts(clock, options.loginAttempts)
  const links = new Map<MasterLink, Socket>()
  let pending = 0
  const stock = openStockGate(host, peerOf, (address) => attempts.failed(address))
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })

  server.on('upgrade', (request, socket, head) => {
    const problem = whyNot(request)
    if (problem) return turnAway(socket, problem)
    const login = stockLogin(request)
    if (login) {
      const admitted = admit(request, login)
      if (admitted) return turnAway(socket, admitted)
      return stock.enter(request, socket, head, login, countPending())
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.binaryType = 'nodebuffer'
      enter(webSocket as unknown as AcceptedWebSocket, request.socket) // one buffer per message, by the line above
    })
  })

  // Bytes that are no HTTP, headers without end, a handshake that takes too long: that connection alone is closed.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ECONNRESET')
      log.warn('bad request on the slave port', { peer: peerOf(socket as Socket), reason: error.message })
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    socket.destroy()
  })
  server.on('tlsClientError', (error: Error, socket: Socket) =>
    log.warn('bad request on the slave port', { peer: peerOf(socket), reason: error.message }),
  )
  server.on('drop', (dropped) =>
    log.warn('too many slave connections', { peer: dropped?.remoteAddress, limit: options.maxConnections }),
  )

  function whyNot(request: IncomingMessage): Refusal | undefined {
    const address = request.socket.remoteAddress ?? ''
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (!offered.includes(SUBPROTOCOL) && stockLogin(request) === undefined)
      return {
        status: '400 Bad Request',
        reason: `The subprotocol ${SUBPROTOCOL}, or the login of a worker, is needed.`,
      }
    if (!attempts.allowed(address))
      return { status: '429 Too Many Requests', reason: 'Too many failed logins from this address; wait a minute.' }
    if (pending >= options.maxPending)
      return { status: '503 Service Unavailable', reason: 'Too many connections that have not logged in.' }
    return undefined
  }

  /** Stock workers send their password with the request. */
  function admit(request: IncomingMessage, { name, password }: StockLogin): Refusal | undefined {
    const right = passwordOf(host, name)
    if (right !== undefined && isPassword(password, right)) return undefined
    attempts.failed(request.socket.remoteAddress ?? '')
    const reason =
      right === undefined ? `The slave "${name}" may not log in here.` : `The password of slave "${name}" is wrong.`
    log.warn(MESSAGES.login, { peer: peerOf(request.socket), slave: name.slice(0, 100), reason })
    return { status: '401 Unauthorized', reason: 'The master does not know this name, or the password is wrong.' }
  }

  /** One more has not logged in yet; gives what says that it has, or is gone. */
  function countPending(): () => void {
    let waiting = true
    pending++
    return () => {
      if (waiting) pending--
      waiting = false
    }
  }

  function enter(webSocket: AcceptedWebSocket, socket: Socket): void {
    const peer = peerOf(socket)
    const address = socket.remoteAddress ?? ''
    const settled = countPending()
    const link = acceptAgent(webSocket, socket, {
      peer,
      clock,
      errors: { lost: linkLost, notHeld, refused: slaveRefused },
      loginTimeout: options.loginTimeout,
      password: (name) => passwordOf(host, name),
      attach(connection) {
        settled()
        return host.slaves.attach(connection)
      },
      refused(problem) {
        if (problem.kind === 'login') attempts.failed(address)
        log.warn(MESSAGES[problem.kind], { peer, slave: problem.name?.slice(0, 100), reason: problem.reason })
      },
    })
    links.set(link, socket)
    socket.on('data', () => link.heard()) // any byte is a sign of life, also in the middle of a message
    webSocket.on('close', () => {
      settled()
      links.delete(link)
    })
  }

  return {
    close(reason) {
      for (const [link, socket] of links) {
        link.close(reason)
        // What was said is in the system's hands by now, unless the other end has long stopped listening.
        if (socket.writableLength < STALLED_BYTES) socket.destroySoon()
        else socket.destroy()
      }
      stock.close(reason)
      sockets.close()
    },
  }
}

interface Refusal {
  readonly status: string
  readonly reason: string
}

const STALLED_BYTES = 64 * 1024

const MESSAGES: Readonly<Record<LinkProblem['kind'], string>> = {
  protocol: 'slave connection broke the protocol',
  version: 'slave of another version refused',
  login: 'slave login refused',
  attach: 'slave not attached',
}

/** A secret that cannot be read must not end the master: that login fails, and the log says why. */
function passwordOf(host: Host, name: string): string | undefined {
  try {
    return host.slaves.password(name)
  } catch (error) {
    host.log.error('password of a slave not found', { slave: name, error })
    return undefined
  }
}

function turnAway(socket: Duplex, { status, reason }: Refusal): void {
  socket.on('error', () => {}) // it may be gone already
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${reason.length + 1}\r\n\r\n${reason}\n`,
    () => socket.destroy(),
  )
}

function peerOf(socket: Socket): string {
  return addressText({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 })
}
