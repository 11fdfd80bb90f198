import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

export interface Mail {
  readonly from: string
  /** Who it was handed to, which may be more than its headers say. */
  readonly to: readonly string[]
  readonly parsed: ParsedMail
}

/** A real SMTP server on the loopback; it may be down for a while and come back on its port. */
export interface MailServer extends AsyncDisposable {
  readonly port: number
  readonly mails: readonly Mail[]
  down(): Promise<void>
  up(): Promise<void>
}

export async function createMailServer(): Promise<MailServer> {
  const mails: Mail[] = []
  let port = 0
  let server: SMTPServer | undefined

  async function up(): Promise<void> {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 100,
      onData(stream, { envelope }, done) {
        simpleParser(stream).then((parsed) => {
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
          mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), parsed })
          done()
        }, done)
      },
    })
    server.on('error', () => {}) // of a client that went away; what matters is which mails come
    server.listen(port, '127.0.0.1')
    await once(server.server, 'listening')
    port = (server.server.address() as AddressInfo).port // a TCP server has no other address
  }

  async function down(): Promise<void> {
    const closing = server
    server = undefined
    if (closing) await new Promise<void>((resolve) => closing.close(() => resolve()))
  }

  await up()
  return { port, mails, down, up, [Symbol.asyncDispose]: down }
}
