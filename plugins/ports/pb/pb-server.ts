import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { addressText } from '../address.ts'
import { listenOn, readCertificate } from '../listen.ts'
import { cannotListen, certificateUnreadable } from './errors.ts'
import type { PbAddress } from './pb-address.ts'

export interface PbServerDeps {
  /** May it speak at all? Asked at once, before anything is computed for it. */
  readonly allowed: (socket: Socket) => boolean
  readonly accept: (socket: Socket) => void
  /** It does not speak TLS, or not as we do. */
  readonly broken: (socket: Socket, reason: string) => void
  /** Milliseconds to the end of the handshake of TLS. */
  readonly handshakeTimeout: number
}

/** @throws CiError `BOLT_PB_CERTIFICATE`. */
export async function createPbServer({ tls }: PbAddress, deps: PbServerDeps): Promise<Server> {
  const { accept, allowed, broken, handshakeTimeout } = deps
  const options = { noDelay: true, keepAlive: true }
  const screen = (socket: Socket) => {
    if (!allowed(socket)) socket.destroy()
  }
  if (tls === undefined)
    return createServer({ ...options, allowHalfOpen: true }, (socket) => {
      screen(socket)
      if (!socket.destroyed) accept(socket)
    })
  // Not half open: who goes during the handshake would be kept to its end.
  const secure = {
    ...(await readCertificate(tls, certificateUnreadable)),
    minVersion: 'TLSv1.2' as const,
    handshakeTimeout,
  }
  const server = createTlsServer({ ...options, ...secure }, accept)
  server.on('connection', screen)
  server.on('tlsClientError', (error, socket) => {
    broken(socket, error.message)
    socket.destroy()
  })
  return server
}

/** Gives the port, which matters when 0 was asked for. @throws CiError `BOLT_PB_LISTEN`. */
export async function listen(server: Server, address: PbAddress): Promise<number> {
  try {
    return await listenOn(server, address)
  } catch (error) {
    throw cannotListen(addressText(address), error)
  }
}
