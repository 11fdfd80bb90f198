import type { CommandIo, ConnectionErrors } from './connection.ts'
import { CHUNK, WINDOW } from './limits.ts'
import { type AgentMessage, type CommandId, type CommandResult, keyOf, type MasterMessage } from './messages.ts'

/** The commands a master follows over one link: hands their bytes on in order, and acknowledges what was stored. */
export interface MasterCommands {
  /** Follows a command; resolves with its result when all its bytes were handed to `io`. */
  follow(id: CommandId, io: CommandIo): Promise<CommandResult>
  /** Takes a message about a command; false when it is about something else. */
  receive(message: AgentMessage): boolean
  /** Nobody waits for the command any more. */
  drop(id: CommandId): void
  /** The link is gone. Calls reject once what `io` has in hand is settled, so that a later link does not overtake it. */
  lost(error: Error): void
}

/** The two ways to say something to the agent. */
export interface Sending {
  readonly send: (message: MasterMessage) => void
  /** In order with the others, when there is one to send or a moment later. */
  readonly sendSoon: (message: MasterMessage) => void
}

interface Followed {
  readonly io: CommandIo
  /** What was handed to `io` so far; never rejects. */
  tail: Promise<void>
  ended: boolean
  /** Bytes of each log that the agent knows to be stored, or will soon. */
  readonly acked: Record<string, number>
  readonly resolve: (result: CommandResult) => void
  readonly reject: (error: unknown) => void
}

export function createMasterCommands(
  slave: string,
  errors: ConnectionErrors,
  { send, sendSoon }: Sending,
): MasterCommands {
  const followed = new Map<string, Followed>()

  function end(key: string, command: Followed, act: () => void): void {
    if (command.ended) return
    command.ended = true
    if (followed.get(key) === command) followed.delete(key)
    act()
  }

  /** Does `work` after all that came before it, unless the command ended meanwhile. */
  function enqueue(key: string, command: Followed, work: () => Promise<void>): void {
    command.tail = command.tail.then(async () => {
      if (command.ended) return
      try {
        await work()
      } catch (error) {
        end(key, command, () => command.reject(error))
      }
    })
  }

  /** At once when the agent may soon have to wait for it. */
  function acknowledge({ acked }: Followed, ack: MasterMessage & { readonly t: 'ack' }): void {
    const isUrgent = ack.offset - (acked[ack.log] ?? 0) >= WINDOW / 4
    if (isUrgent) acked[ack.log] = ack.offset
    const give = isUrgent ? send : sendSoon
    give(ack)
  }

  return {
    follow(id, io) {
      const key = keyOf(id)
      const { promise, resolve, reject } = Promise.withResolvers<CommandResult>()
      const older = followed.get(key)
      if (older) end(key, older, () => older.reject(errors.refused(slave, 'the command was asked for again')))
      followed.set(key, { io, tail: Promise.resolve(), ended: false, acked: {}, resolve, reject })
      return promise
    },
    receive(message) {
      if (!('id' in message)) return false
      const { id } = message
      const key = keyOf(id)
      const command = followed.get(key)
      if (command === undefined) return true // forgotten meanwhile
      const { io } = command
      switch (message.t) {
        case 'output':
          enqueue(key, command, async () => {
            const { log, stream, offset, data } = message
            await io.output(log, stream, offset, data)
            if (!command.ended) acknowledge(command, { t: 'ack', id, log, offset: offset + data.length })
          })
          break
        case 'upload':
          enqueue(key, command, async () => {
            const { offset, data } = message
            if (io.receive === undefined) throw errors.refused(slave, 'it sent a file that nobody asked for')
            await io.receive(offset, data)
            if (!command.ended) send({ t: 'uploadAck', id, offset: offset + data.length })
          })
          break
        case 'want':
          enqueue(key, command, async () => {
            const { offset, length } = message
            if (io.provide === undefined) throw errors.refused(slave, 'it asked for a file that nobody sends')
            const data = await io.provide(offset, Math.min(length, CHUNK * 4))
            if (!command.ended) send({ t: 'bytes', id, offset, data })
          })
          break
        case 'result':
          enqueue(key, command, async () => end(key, command, () => command.resolve(message.result)))
          break
        case 'unknown':
          enqueue(key, command, async () => end(key, command, () => command.reject(errors.notHeld(slave, id))))
          break
      }
      return true
    },
    drop(id) {
      const key = keyOf(id)
      const command = followed.get(key)
      if (command) end(key, command, () => command.reject(errors.refused(slave, 'the command was given up')))
    },
    lost(error) {
      for (const [key, command] of [...followed]) {
        const { tail } = command
        end(key, command, () => void tail.then(() => command.reject(error)))
      }
    },
  }
}
