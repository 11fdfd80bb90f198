import type { CommandIo, Stream } from 'boltbot/plugin-sdk'
import type { Begun } from '../slaves/session.ts'
import type { PastLogs } from './past-logs.ts'

export interface TakenUpDeps {
  readonly past: PastLogs
  /** The step's log for a log of the command. */
  readonly logOf: (name: string) => string
  readonly observe: ((stream: Stream, data: Uint8Array) => void) | undefined
  readonly io: CommandIo
}

/** A command that a process before may have begun: what is stored of its output is shown to the step from the log. */
export interface TakenUp extends Begun {
  readonly io: CommandIo
  /** The command has ended: what the slave did not send again is shown now. */
  end(): Promise<void>
}

export function takeUp({ past, logOf, observe, io }: TakenUpDeps): TakenUp {
  /** By log: from where on the slave was asked to send, until it is known whether it does. */
  const asked = new Map<string, number>()

  async function show(name: string, length: number): Promise<void> {
    asked.delete(name)
    await past.replay(logOf(name), length, (stream, data) => observe?.(stream, data))
  }

  return {
    isStored: async () => (await past.ahead(logOf('stdio'), 1)).length > 0,
    async from(lengths) {
      const offsets: Record<string, number> = {}
      const streams: Record<string, Readonly<Partial<Record<Stream, number>>>> = {}
      for (const [name, length] of Object.entries(lengths)) {
        const ahead = await past.ahead(logOf(name), length)
        if (ahead.length === 0) continue
        offsets[name] = ahead.length
        streams[name] = ahead.streams
        asked.set(name, ahead.length)
      }
      return { offsets, streams }
    },
    io: {
      ...io,
      async output(name, stream, offset, data) {
        const from = asked.get(name)
        // A slave that counts otherwise begins at its beginning: all of it comes again.
        if (from !== undefined && offset >= from) await show(name, from)
        asked.delete(name)
        return io.output(name, stream, offset, data)
      },
    },
    async end() {
      for (const [name, length] of asked) await show(name, length)
    },
  }
}
