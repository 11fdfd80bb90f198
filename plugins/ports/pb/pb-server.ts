import { readFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import { addressText } from '../address.ts'
import { cannotListen, certificateUnreadable } from './errors.ts'
import type { PbAddress, PbCertificate } from './pb-address.ts'

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
  const secure = { ...(await certificate(tls)), minVersion: 'TLSv1.2' as const, handshakeTimeout }
  const server = createTlsServer({ ...options, ...secure }, accept)
  server.on('connection', screen)
  server.on('tlsClientError', (error, socket) => {
    broken(socket, error.message)
    socket.destroy()
  })
  return server
}

async function certificate({ certFile, keyFile }: PbCertificate): Promise<{ cert: string; key: string }> {
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

/** Gives the port, which matters when 0 was asked for. @throws CiError `BOLT_PB_LISTEN`. */
export async function listen(server: Server, address: PbAddress): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(address.port, address.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw cannotListen(addressText(address), error)
  }
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : address.port
}
