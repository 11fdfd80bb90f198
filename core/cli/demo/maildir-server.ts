import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'

/** A mail server for one machine: takes every mail and delivers it into one maildir. */
export interface MaildirServer extends AsyncDisposable {
  readonly port: number
  readonly maildir: string
  /** The file of the first mail, when it is there. */
  readonly firstMail: Promise<string>
}

export async function startMaildirServer(maildir: string): Promise<MaildirServer> {
  for (const name of ['tmp', 'new', 'cur']) mkdirSync(join(maildir, name), { recursive: true })
  const { promise: firstMail, resolve } = Promise.withResolvers<string>()
  let count = 0
  /** A reader of `new/` sees a whole file or none. */
  const deliver = (mail: Buffer) => {
    const name = `${Math.floor(Date.now() / 1000)}.${process.pid}_${count++}.boltbot-demo`
    writeFileSync(join(maildir, 'tmp', name), mail)
    renameSync(join(maildir, 'tmp', name), join(maildir, 'new', name))
    resolve(join(maildir, 'new', name))
  }
  const server = new SMTPServer({
    banner: 'Boltbot demo',
    authOptional: true,
    // It never leaves this machine, so there is nothing to encrypt and nobody to tell apart.
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 500,
    onData(stream, _session, done) {
      buffer(stream)
        .then(deliver)
        .then(() => done(), done)
    },
  })
  server.on('error', () => {}) // a client that went away in the middle: it will come again
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port, // a TCP server has no other address
    maildir,
    firstMail,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  }
}
