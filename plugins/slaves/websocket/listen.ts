import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import { addressText } from '../../ports/address.ts'
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
          { ...limits, ...(await certificate(options.tls)), handshakeTimeout: options.loginTimeout },
          refuse,
        )
  server.maxConnections = options.maxConnections
  return server
}

const refuse: RequestListener = (_, response) => {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain' })
  response.end('Here slaves of Boltbot connect, by WebSocket.\n')
}

async function certificate({ certFile, keyFile }: NonNullable<Agents['tls']>): Promise<{ cert: string; key: string }> {
  const read = (file: string) =>
    readFile(file, 'utf8').catch((error: unknown) => {
      throw certificateUnreadable(file, error)
    })
  const pair = { cert: await read(certFile), key: await read(keyFile) }
  try {
    createSecureContext(pair)
  } catch (error) {
    throw certificateUnreadable(certFile, error)
  }
  return pair
}

/** Resolves with the port. @throws CiError `BOLT_AGENTS_PORT_TAKEN`, `BOLT_AGENTS_LISTEN`. */
export async function listen(server: Server, { port: address }: Agents): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(address.port, address.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw (taken ? portTaken : cannotListen)(addressText(address), error)
  }
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : address.port
}
