import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Clock } from 'boltbot/plugin-sdk'
import { type Broker, createBroker } from '../../../wire/pb/broker.ts'
import { createLoginRoot } from '../../../wire/pb/login.ts'
import type { Referenceable, RemoteReference } from '../../../wire/pb/values.ts'
import type { PbSession } from './account.ts'
import { linkLost } from './errors.ts'

export interface PbLinkDeps {
  readonly peer: string
  readonly clock: Clock
  /** Milliseconds from the connection to the end of the login. */
  readonly loginTimeout: number
  readonly password: (user: string) => string | undefined
  readonly enter: (session: PbSession) => Promise<Referenceable>
  readonly tooMany: () => boolean
  readonly refused: (user: string) => void
  /** It spoke something else. */
  readonly broken: (reason: string) => void
  readonly trouble: (method: string, error: unknown) => void
  /** It logged in, or is gone. */
  readonly settled: () => void
}

/** One connection, from the first byte: closing it is all that is left to do from outside. */
export interface PbLink {
  readonly closed: Promise<string>
  close(reason: string): void
}

/** An end that does not take what is sent to it is dropped when so much waits for it. */
const STALLED_BYTES = 64 * 1024 * 1024
const LITTLE_BYTES = 64 * 1024

export function openLink(socket: Socket, deps: PbLinkDeps): PbLink {
  const { peer, clock } = deps
  const closed = Promise.withResolvers<string>()
  let heard = clock.now()
  let why: string | undefined

  const close = (reason: string) => {
    why ??= reason
    // What was said last is in the system's hands by then, unless the other end has long stopped listening.
    if (socket.writableLength < LITTLE_BYTES) socket.destroySoon()
    else socket.destroy()
    broker.lost(linkLost(peer, why))
  }
  const broker: Broker = createBroker({
    role: 'server',
    root: createLoginRoot({
      challenge: () => randomBytes(16),
      password: deps.password,
      tooMany: deps.tooMany,
      refused: deps.refused,
      release: (object) => broker.release(object),
      enter,
    }),
    send(bytes) {
      if (!socket.writable) return true
      socket.write(bytes)
      if (socket.writableLength > STALLED_BYTES) {
        why ??= 'it does not take what is sent to it'
        socket.destroy()
      }
      return socket.writableLength === 0
    },
    broken(reason) {
      deps.broken(reason)
      close(reason)
    },
    trouble: deps.trouble,
    congested: (much) => (much ? socket.pause() : socket.resume()),
  })

  const startLogin = () => clock.timer(deps.loginTimeout, () => close('it did not log in in time'))
  let login = startLogin()
  const settled = () => {
    login[Symbol.dispose]()
    deps.settled()
  }
  async function enter(user: string, mind: RemoteReference | null): Promise<Referenceable> {
    login[Symbol.dispose]() // what its kind does now has times of its own
    broker.trust()
    const session = { user, peer, broker, mind, closed: closed.promise, lastHeard: () => heard, close }
    try {
      const perspective = await deps.enter(session)
      settled()
      return perspective
    } catch (error) {
      login = startLogin() // the other end may go, or try again
      throw error
    }
  }

  socket.on('data', (bytes: Buffer) => {
    heard = clock.now()
    broker.receive(bytes)
  })
  socket.on('error', (error) => {
    why ??= error.message
  })
  socket.on('end', () => socket.end())
  socket.on('close', () => {
    why ??= 'it closed the link'
    settled()
    broker.lost(linkLost(peer, why))
    closed.resolve(why)
  })
  return { closed: closed.promise, close }
}
