import { readFile } from 'node:fs/promises'
import type { AddressInfo, Socket } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A real SMTP server on a port of its own that keeps what it takes. */
export interface SmtpSink extends AsyncDisposable {
  readonly port: number
  /** What it took, oldest first. */
  readonly mails: readonly Taken[]
  /** Connections so far, and those that are open. */
  readonly connections: { made: number; open: number }
  /** Breaks all connections. */
  dropAll(): void
}

export interface Taken {
  readonly from: string
  /** Recipients of the envelope. */
  readonly to: readonly string[]
  readonly mail: ParsedMail
  readonly raw: string
  readonly user: string | undefined
  readonly encrypted: boolean
}

export interface SinkOptions {
  readonly port?: number
  /** What it says to a recipient: nothing, or an SMTP error such as `450 later`. */
  readonly recipient?: (address: string) => string | undefined
  /** What it says to a message: nothing, or an SMTP error. May take its time. */
  readonly message?: (mail: ParsedMail) => string | undefined | Promise<string | undefined>
  readonly more?: SMTPServerOptions
}

export async function createSmtpSink({ port = 0, recipient, message, more }: SinkOptions = {}): Promise<SmtpSink> {
  const mails: Taken[] = []
  const connections = { made: 0, open: 0 }
  const tls = new URL('../../fixtures/tls/', import.meta.url)
  const server = new SMTPServer({
    key: await readFile(new URL('localhost.key', tls)),
    cert: await readFile(new URL('localhost.crt', tls)),
    authOptional: true,
    disabledCommands: [],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect(_, done) {
      connections.made++
      connections.open++
      done()
    },
    onClose() {
      connections.open--
    },
    onRcptTo({ address }, _, done) {
      done(smtpError(recipient?.(address)))
    },
    onData(stream, session, done) {
      const parts: Buffer[] = []
      stream.on('data', (data: Buffer) => parts.push(data))
      stream.on('end', async () => {
        const raw = Buffer.concat(parts)
        const mail = await simpleParser(raw)
        const refused = smtpError(await message?.(mail))
        if (refused) return done(refused)
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          mail,
          raw: raw.toString(),
          user: session.user,
          encrypted: session.secure,
        })
        done()
      })
    },
    ...more,
  })
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('error', () => {}) // a client that goes away in the middle
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.server.address() as AddressInfo).port, // it listens on TCP
    mails,
    connections,
    dropAll() {
      for (const socket of sockets) socket.destroy()
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function smtpError(text: string | undefined): (Error & { responseCode: number }) | undefined {
  if (text === undefined) return undefined
  return Object.assign(new Error(text.slice(4)), { responseCode: Number(text.slice(0, 3)) })
}
