import type { Socket } from 'node:net'
import type { Host } from 'boltbot/plugin-sdk'
import { WebSocketServer } from 'ws'
import { type AcceptedWebSocket, acceptAgent } from '../../wire/agent/accept.ts'
import { MAX_MESSAGE } from '../../wire/agent/limits.ts'
import type { MasterLink } from '../../wire/agent/master-link.ts'
import { createServer } from '../../wire/http-server.ts'
import { listenLocally } from './agent-address.ts'
import { linkLost, notHeld, slaveRefused } from './errors.ts'

/** Where the agents that the master started come in. */
export interface Door extends AsyncDisposable {
  /** What the agents dial. */
  readonly url: string
}

const LOGIN_MS = 10_000

export async function openDoor(
  host: Host,
  directory: string,
  platform: NodeJS.Platform,
  password: (slave: string) => string | undefined,
): Promise<Door> {
  const server = createServer({ maxHeaderSize: 16 * 1024 }, (_, response) => response.writeHead(426).end())
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    clientTracking: false,
  })
  const links = new Map<MasterLink, Socket>()

  sockets.on('connection', (webSocket, { socket }) => {
    webSocket.binaryType = 'nodebuffer'
    // One buffer per message, by the line above.
    const accepted = webSocket as unknown as AcceptedWebSocket
    const link = acceptAgent(accepted, socket, {
      peer: 'this machine',
      clock: host.clock,
      errors: { lost: linkLost, notHeld, refused: slaveRefused },
      loginTimeout: LOGIN_MS,
      password,
      attach: (connection) => host.slaves.attach(connection),
      refused: ({ kind, name, reason }) => host.log.warn('local slave turned away', { slave: name, kind, reason }),
    })
    links.set(link, socket)
    socket.on('data', () => link.heard()) // any byte is a sign of life, also in the middle of a message
    webSocket.on('close', () => links.delete(link))
  })

  const url = await listenLocally(server, directory, platform)
  return {
    url,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const [link, socket] of links) {
        link.close('the master stops')
        socket.destroySoon()
      }
      sockets.close()
      server.closeAllConnections()
      await closed
    },
  }
}
