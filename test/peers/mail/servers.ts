import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ParsedMail, simpleParser } from 'mailparser'
import { reservePort } from '../../e2e/rig/ports.ts'
import { type Server, startServer } from '../rig/server.ts'

/**
 * A real mail server for `example.org`. It wants STARTTLS and a login, puts `grey@` off until it is told otherwise, does not know `nobody@`,
 * and takes its time over a text with "slowly" in it.
 */
export interface MailPeer extends Server {
  /** PEM text of the authority that signed its certificate. */
  readonly certificate: string
  /** Where it delivers to. */
  readonly maildir: string
  /** Its own configuration, of exim. */
  readonly config: string
  /** All it has taken, in that order, nothing left out. */
  mails(): Promise<readonly Arrived[]>
  /** From now on nobody is put off, and nothing is slow. */
  relent(): void
  /** A slow message is there as a whole, and was not answered. */
  hasData(): boolean
}

export interface Arrived extends ParsedMail {
  /** Who it was handed to. */
  readonly recipient: string
  /** The server's own words on how it came. */
  readonly received: string
}

const TLS = new URL('../../fixtures/tls/', import.meta.url)
const HERE = import.meta.dirname

export async function startExim(): Promise<MailPeer> {
  const port = await reservePort()
  return start(port, 'Debian-exim', (directory) => {
    mkdirSync(join(directory, 'spool'))
    const text = readFileSync(join(HERE, 'exim.conf'), 'utf8')
    writeFileSync(join(directory, 'exim.conf'), text.replaceAll('@DIR@', directory).replaceAll('@PORT@', `${port}`))
    return ['/usr/sbin/exim4', '-C', join(directory, 'exim.conf'), '-bdf']
  })
}

export async function startPythonServer(): Promise<MailPeer> {
  const port = await reservePort()
  return start(port, 'nobody', (directory) => {
    copyFileSync(join(HERE, 'smtp.py'), join(directory, 'smtp.py'))
    return ['/usr/bin/python3', join(directory, 'smtp.py'), `${port}`, directory]
  })
}

async function start(port: number, account: string, command: (directory: string) => readonly string[]) {
  let folder = ''
  const server = await startServer({
    port,
    account,
    prepare(directory) {
      folder = directory
      mkdirSync(join(directory, 'log'))
      writeFileSync(join(directory, 'log', 'mainlog'), '')
      for (const name of ['localhost.crt', 'localhost.key']) copyFileSync(new URL(name, TLS), join(directory, name))
      return command(directory)
    },
  })
  const peer: MailPeer = {
    ...server,
    certificate: readFileSync(new URL('localhost.crt', TLS), 'utf8'),
    maildir: join(folder, 'maildir'),
    config: join(folder, 'exim.conf'),
    async mails() {
      const box = join(folder, 'maildir', 'new')
      const files = existsSync(box) ? readdirSync(box).sort() : []
      const mails = await Promise.all(files.map((file) => simpleParser(readFileSync(join(box, file)))))
      const taken = readFileSync(join(folder, 'log', 'mainlog'), 'utf8').split('\n')
      const place = ({ messageId = '', recipient }: Arrived) =>
        taken.findIndex((line) => line.includes(`id=${messageId.slice(1, -1)} `) && line.endsWith(` for ${recipient}`))
      return mails
        .map((mail) => ({
          ...mail,
          recipient: String(mail.headers.get('envelope-to')),
          received: [mail.headers.get('received') ?? [], mail.headers.get('x-login') ?? []].flat().join('; '),
        }))
        .toSorted((a, b) => place(a) - place(b))
    },
    relent: () => writeFileSync(join(folder, 'pass'), ''),
    hasData: () => existsSync(join(folder, 'has-data')),
  }
  return peer
}
