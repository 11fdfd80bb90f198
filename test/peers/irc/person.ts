import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { until } from 'boltbot/plugin-sdk/testing'

/** A scripted person on an IRC server: types lines, and reads all that comes. */
export interface Person extends AsyncDisposable {
  readonly nick: string
  /** All lines from the server, oldest first. */
  readonly lines: readonly string[]
  send(line: string): void
  /** Says something in a channel or to somebody. */
  say(target: string, text: string): void
  /** The next line that fits, after those that were looked at already. */
  line(pattern: RegExp, deadline?: number): Promise<string>
  /** Texts somebody said in a target, oldest first. */
  heard(from: string, target: string): readonly string[]
  join(channel: string): Promise<void>
}

/** With `tls` over TLS, by a certificate of its own if it has one. */
export async function connectPerson(port: number, nick: string, tls?: ConnectionOptions): Promise<Person> {
  const socket = tls ? connectTls({ host: 'localhost', port, ...tls }) : connect({ host: '127.0.0.1', port })
  const lines: string[] = []
  let looked = 0
  socket.on('error', () => {}) // 'close' follows
  createInterface({ input: socket }).on('line', (line) => {
    if (line.startsWith('PING ')) socket.write(`PONG ${line.slice(5)}\r\n`)
    else lines.push(line)
  })
  const person: Person = {
    nick,
    lines,
    send: (line) => void socket.write(`${line}\r\n`),
    say: (target, text) => person.send(`PRIVMSG ${target} :${text}`),
    line: (pattern, deadline = 15_000) =>
      until(
        () => {
          const at = lines.findIndex((line, i) => i >= looked && pattern.test(line))
          if (at === -1) return undefined
          looked = at + 1
          return lines[at]
        },
        { what: `${nick} to read ${pattern}`, deadline, seen: () => lines.slice(-20).join('\n') },
      ),
    heard: (from, target) =>
      lines.flatMap((line) => {
        const match = /^(?:@\S+ )?:([^!\s]+)!\S+ (?:PRIVMSG|NOTICE) (\S+) :(.*)$/.exec(line)
        return match?.[1] === from && match[2]?.toLowerCase() === target.toLowerCase() ? [match[3]!] : []
      }),
    async join(channel) {
      person.send(`JOIN ${channel}`)
      await person.line(new RegExp(` 366 .*${channel}`, 'i'))
    },
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
    },
  }
  person.send(`NICK ${nick}`)
  person.send(`USER ${nick} 0 * :${nick}`)
  await person.line(/ 001 /)
  return person
}
