import { EventEmitter } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import { connect as connectTls, TLSSocket } from 'node:tls'
import type { Log, SecretRef } from 'boltbot/plugin-sdk'
import type { Network } from './options.ts'

/** Gives the class that irc-framework makes its connections of. */
export type TransportOf = (network: Network, deps: TransportDeps) => object

export interface TransportDeps {
  readonly secret: (value: string | SecretRef) => string
  readonly log: Log
}

/** The way of a network's options, over a socket. */
export const reachNetwork: TransportOf = ({ name, host, port, tls, tlsCa, certificate }, { secret, log }) => {
  const cert = certificate && { cert: certificate.cert, key: secret(certificate.key) }
  return createTransport({
    host,
    port,
    tls: tls ? { ...(tlsCa !== undefined && { ca: tlsCa }), ...cert } : null,
    stumbled: (line, error) => log.error('a line of the server was passed over', { network: name, line, error }),
  })
}

interface TransportOptions {
  readonly host: string
  readonly port: number
  /** `null`: not encrypted. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null
  /** Whoever reads a line threw. */
  readonly stumbled: (line: string, error: unknown) => void
}

/** A line is 512 bytes and 8191 of tags; a server that sends more without a line end is none. */
const MOST_WAITING = 65_536

/**
 * The socket below irc-framework, with what its own lacks: certificates of a private authority, lines of a bounded length, and an end
 * that is always told.
 */
function createTransport(options: TransportOptions): object {
  return class Transport extends EventEmitter {
    private socket: Socket | null = null
    private failure: Error | false = false

    connect(): void {
      const { host, port, tls } = options
      const socket =
        tls === null
          ? connect({ host, port })
          : connectTls({ host, port, ...tls, rejectUnauthorized: true, ...(isIP(host) === 0 && { servername: host }) })
      this.socket = socket
      const decoder = new StringDecoder('utf8')
      let rest = ''
      socket.on(tls === null ? 'connect' : 'secureConnect', () => this.emit('open'))
      socket.on('error', (error) => {
        this.failure = error
      })
      socket.on('close', () => this.emit('close', this.failure))
      socket.on('data', (data: Buffer) => {
        const lines = (rest + decoder.write(data)).split(/\r?\n/)
        rest = lines.pop() ?? ''
        if (rest.length > MOST_WAITING) socket.destroy(new Error('the server sends a line without an end'))
        for (const line of lines) if (!socket.destroyed) this.read(line)
      })
    }

    /** What a server says must not end more than the reading of that line. */
    private read(line: string): void {
      try {
        this.emit('line', line)
      } catch (error) {
        options.stumbled(line.slice(0, 500), error)
      }
    }

    writeLine(line: string, done?: () => void): void {
      this.socket?.write(`${line.replace(/[\r\n\0]/g, ' ')}\r\n`, done)
    }

    close(force: boolean): void {
      if (force) this.socket?.destroy()
      else this.socket?.end()
    }

    certificate(): Uint8Array | undefined {
      return this.socket instanceof TLSSocket ? this.socket.getPeerCertificate()?.raw : undefined
    }

    disposeSocket(): void {
      this.socket?.destroy()
    }

    setEncoding(): boolean {
      return true
    }
  }
}
