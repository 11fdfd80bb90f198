import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Host, messageOf } from 'boltbot/plugin-sdk'
import { type WebSocket, WebSocketServer } from 'ws'
import { MAX_MESSAGE, type Message, type Packed } from '../../../wire/msgpack/envelope.ts'
import { createPeer, PeerError } from '../../../wire/msgpack/peer.ts'
import { linkLost } from '../errors.ts'
import { createStockConnection, keepAlive } from '../stock-connection.ts'
import { createStockWorkerLink, endUnended, greetWorker, type StockWorkerLink } from './stock-worker-link.ts'
import { createUnendedCommands } from './unended.ts'

/** Lets stock workers in that speak Buildbot's msgpack protocol. */
export interface StockGate {
  /** Takes a request whose login was found right. `settled`: it is attached, or gone. */
  enter(request: IncomingMessage, socket: Duplex, head: Buffer, worker: StockLogin, settled: () => void): void
  close(reason: string): void
}

export interface StockLogin {
  readonly name: string
  readonly password: string
}

const ATTACH_MS = 60_000
const KEEPALIVE_MS = 600_000

/** `broken`: a worker of this address spoke something else. */
export function openStockGate(
  host: Host,
  peerOf: (socket: Socket) => string,
  broken: (address: string) => void,
): StockGate {
  const { log, clock } = host
  const links = new Set<(reason: string) => void>()
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    clientTracking: false,
  })

  async function attach(webSocket: WebSocket, socket: Socket, slave: string, settled: () => void): Promise<void> {
    const peerName = peerOf(socket)
    const closed = Promise.withResolvers<string>()
    let heard = clock.now()
    let why: string | undefined
    let link: StockWorkerLink | undefined

    const close = (reason: string) => {
      why ??= reason
      webSocket.close(1000)
      cutting ??= clock.timer(1000, () => webSocket.terminate())
    }
    let cutting: Disposable | undefined
    const handle = (message: Message): Packed | Promise<Packed> => {
      if (link === undefined) throw new PeerError('Worker not authenticated.')
      return link.handle(message)
    }
    const peer = createPeer({
      send: (bytes) => webSocket.readyState === webSocket.OPEN && webSocket.send(bytes),
      handle,
      trouble: (op, error) => log.error('call of a worker failed', { slave, op, error }),
      congested: (much) => (much ? webSocket.pause() : webSocket.resume()),
    })
    socket.on('data', () => {
      heard = clock.now()
    })
    webSocket.on('message', (data, isBinary) => {
      if (!isBinary) return // the real programs pass over text, too
      try {
        peer.receive(data as Buffer) // one buffer per message, as asked for below
      } catch (error) {
        if (why === undefined) {
          broken(socket.remoteAddress ?? '')
          log.warn('slave connection broke the protocol', { peer: peerName, slave, reason: messageOf(error) })
        }
        close(messageOf(error))
      }
    })
    webSocket.on('error', (error) => {
      why ??= messageOf(error)
    })
    webSocket.on('close', (code) => {
      cutting?.[Symbol.dispose]()
      links.delete(close)
      why ??= `the connection was closed (${code})`
      peer.lost(linkLost(slave, why))
      closed.resolve(why)
      settled()
    })
    links.add(close)

    using _deadline = clock.timer(ATTACH_MS, () => close('it did not attach in time'))
    try {
      const unended = createUnendedCommands(host, slave)
      const info = await greetWorker(peer)
      await endUnended(peer, unended)
      link = createStockWorkerLink(
        { slave, peerName, peer, closed: closed.promise, lastHeard: () => heard, close, unended },
        info,
      )
      await host.slaves.attach(createStockConnection(link, clock))
      keepAlive(link, clock, KEEPALIVE_MS)
      settled()
    } catch (error) {
      log.warn('slave not attached', { slave, peer: peerName, reason: messageOf(error) })
      close(messageOf(error))
    }
  }

  return {
    enter(request, socket, head, { name }, settled) {
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.binaryType = 'nodebuffer'
        void attach(webSocket, request.socket, name, settled)
      })
    },
    close(reason) {
      for (const close of links) close(reason)
      sockets.close()
    },
  }
}

/** Name and password of a request, if it has the form that stock workers use. */
export function stockLogin({ headers }: IncomingMessage): StockLogin | undefined {
  if (headers['sec-websocket-protocol'] !== undefined) return undefined
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/.exec(headers.authorization ?? '')?.[1]
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()
  const cut = text.indexOf(':')
  return cut < 1 ? undefined : { name: text.slice(0, cut), password: text.slice(cut + 1) }
}

/** Takes the same time wherever a wrong password differs. */
export function isPassword(given: string, right: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(right))
}
