import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer } from '../../../wire/http-server.ts'
import { addressText } from '../../ports/address.ts'
import { listenOn, readCertificate } from '../../ports/listen.ts'
import { cannotListen, certificateUnreadable, portTaken } from './errors.ts'
import type { Agents } from './options.ts'

/** What a stranger may take of memory and time before the WebSocket stands. */
const HEADER_BYTES = 16 * 1024

/** An HTTP server that only answers requests for WebSockets. @throws CiError `BOLT_AGENTS_CERTIFICATE`. */
export async function createWebServer(options: Agents): Promise<Server> {
  const limits = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: options.loginTimeout,
    requestTimeout: options.loginTimeout,
    connectionsCheckingInterval: Math.min(1000, options.loginTimeout),
    keepAlive: true,
    noDelay: true,
  }
  const server =
    options.tls === undefined
      ? createServer(limits, refuse)
      : createTlsServer(
          {
            ...limits,
            ...(await readCertificate(options.tls, certificateUnreadable)),
            handshakeTimeout: options.loginTimeout,
          },
          refuse,
        )
  server.maxConnections = options.maxConnections
  return server
}

const refuse: RequestListener = (_, response) => {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain' })
  response.end('Here slaves of Boltbot connect, by WebSocket.\n')
}

/** Resolves with the port. @throws CiError `BOLT_AGENTS_PORT_TAKEN`, `BOLT_AGENTS_LISTEN`. */
export async function listen(server: Server, { port: address }: Agents): Promise<number> {
  try {
    return await listenOn(server, address)
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw (taken ? portTaken : cannotListen)(addressText(address), error)
  }
}
