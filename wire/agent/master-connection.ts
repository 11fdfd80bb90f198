import type { Connection, ConnectionErrors } from './connection.ts'
import { digestOf } from './digest.ts'
import { createMasterCommands, type Sending } from './master-commands.ts'
import type { AgentMessage, MasterMessage } from './messages.ts'
import type { LinkClock } from './socket.ts'

export interface MasterConnectionDeps extends Sending {
  readonly slave: string
  readonly peer: string
  readonly ready: Extract<AgentMessage, { readonly t: 'ready' }>
  readonly errors: ConnectionErrors
  readonly clock: LinkClock
  readonly lastHeard: () => number
  /** Tells the agent why, closes the link, and calls `lost`. */
  readonly close: (reason: string) => void
}

export interface MasterConnection {
  readonly connection: Connection
  receive(message: AgentMessage): void
  /** The link is gone. */
  lost(reason: string): void
}

/** An agent that answers a request later than this is as good as gone, though its machine may still send signs of life. */
const ANSWER_MS = 30_000

/** The life of a link after login, at the master. */
export function createMasterConnection(deps: MasterConnectionDeps): MasterConnection {
  const { slave, peer, ready, errors, clock, send, sendSoon, close } = deps
  const closed = Promise.withResolvers<string>()
  const leaving = Promise.withResolvers<string>()
  const waiting = new Map<number, { resolve(error: string | null): void; reject(error: Error): void }>()
  const commands = createMasterCommands(slave, errors, { send, sendSoon })
  let gone: Error | undefined
  let numbers = 0

  async function answered(message: (n: number) => MasterMessage): Promise<string | null> {
    if (gone) throw gone
    const n = ++numbers
    const { promise, resolve, reject } = Promise.withResolvers<string | null>()
    waiting.set(n, { resolve, reject })
    try {
      send(message(n))
      return await promise
    } finally {
      waiting.delete(n)
    }
  }

  async function request(message: (request: number) => MasterMessage): Promise<void> {
    using _deadline = clock.timer(ANSWER_MS, () => close(`it gave no answer within ${ANSWER_MS / 1000} s`))
    const error = await answered(message)
    if (error !== null) throw errors.refused(slave, error)
  }

  /** What cannot be encoded, as it is too large, fails alone. */
  function sendCommand(message: MasterMessage & { readonly t: 'run' | 'resume' }): void {
    if (gone) throw gone
    try {
      send(message)
    } catch (error) {
      commands.drop(message.id)
      throw errors.refused(slave, (error as Error).message)
    }
  }

  const connection: Connection = {
    slave,
    peer,
    info: {
      admin: ready.admin,
      host: ready.host,
      version: ready.program,
      resumable: true,
      instance: ready.instance ?? null,
    },
    held: ready.held,
    closed: closed.promise,
    leaving: leaving.promise,
    lastHeard: deps.lastHeard,
    async ping(signal) {
      signal.throwIfAborted()
      const aborted = Promise.withResolvers<never>()
      const abort = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', abort)
      const pong = answered((n) => ({ t: 'ping', n }))
      pong.catch(() => {}) // the race may be over
      try {
        await Promise.race([pong, aborted.promise])
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    setBuilders: (builders) => request((n) => ({ t: 'builders', request: n, builders })),
    // It has its builders, and needs no word of their builds.
    startBuild: () => Promise.resolve(),
    async run(id, builder, command, io) {
      if (gone) throw gone
      const result = commands.follow(id, io)
      result.catch(() => {}) // when sending throws, that is the error
      sendCommand({ t: 'run', id, builder, command })
      return result
    },
    async resume(id, offsets, io, check) {
      if (gone) throw gone
      const result = commands.follow(id, io)
      result.catch(() => {}) // as above
      const checked = check && { streams: check.streams, digest: digestOf(check.command) }
      sendCommand({ t: 'resume', id, offsets, ...checked })
      return result
    },
    forget(id) {
      commands.drop(id)
      if (!gone) sendSoon({ t: 'forget', id })
    },
    interrupt(id, reason) {
      if (!gone) send({ t: 'interrupt', id, reason: reason.slice(0, 4000) })
    },
    async shutdown() {
      try {
        await request((n) => ({ t: 'shutdown', request: n }))
      } catch (error) {
        if (error !== gone) throw error // a link lost in answer is what was asked for
      }
    },
    close(reason) {
      if (!gone) close(reason)
    },
  }

  return {
    connection,
    receive(message) {
      if (message.t === 'done') waiting.get(message.request)?.resolve(message.error)
      else if (message.t === 'pong') waiting.get(message.n)?.resolve(null)
      else if (message.t === 'leave') leaving.resolve(message.reason)
      else if (message.t === 'ping') send({ t: 'pong', n: message.n })
      else commands.receive(message)
    },
    lost(reason) {
      if (gone) return
      gone = errors.lost(slave, reason)
      for (const call of waiting.values()) call.reject(gone)
      commands.lost(gone)
      closed.resolve(reason)
    },
  }
}
