import type { Host, LogPlace, Stream } from 'boltbot/plugin-sdk'
import { SENDABLE } from '../../../wire/pb/limits.ts'
import { RaisedError } from '../../../wire/pb/remote-error.ts'
import { Referenceable, Tuple, type Value } from '../../../wire/pb/values.ts'
import type { LogRef, TreeContext } from './tree.ts'
import { stepEnd } from './waiters.ts'

export interface LogChunk {
  readonly channel: number
  readonly text: string
}

const CHANNELS: Readonly<Record<Stream, number>> = { stdout: 0, stderr: 1, header: 2 }
/** Bytes that are asked of the store at once: as text they are at most three times as long. */
const CHUNK_BYTES = 64 * 1024
/** Of a whole log, for those who ask for it in one answer. */
const MOST_BYTES = 16 * 1024 * 1024

export const placeOf = ({ build, step, log }: LogRef): LogPlace => ({ build: build.id, step, log })

/** Reads a log on from where it stopped before; letters are never cut in two. */
export function createLogCursor(place: LogPlace, query: Pick<Host['query'], 'readLog'>) {
  const decoders = new Map<number, TextDecoder>()
  let from = 0
  return {
    /** What there is now. @throws CiError `BOLT_LOGS_UNKNOWN`. */
    async *chunks(): AsyncGenerator<LogChunk> {
      for (;;) {
        const part = await query.readLog(place, from, from + CHUNK_BYTES)
        if (part.next === from) return
        from = part.next
        for (const { stream, data } of part.pieces) {
          const channel = CHANNELS[stream]
          const decoder = decoders.get(channel) ?? new TextDecoder()
          decoders.set(channel, decoder)
          const text = decoder.decode(data, { stream: true })
          if (text !== '') yield { channel, text }
        }
      }
    },
  }
}

export function createLogObject(ref: LogRef, { host: { query }, tree, waiters }: TreeContext): Referenceable {
  const place = placeOf(ref)
  const finished = async () => (await query.log(place))?.running !== true

  async function chunks(): Promise<readonly LogChunk[]> {
    const bytes = (await query.log(place))?.bytes ?? 0
    if (bytes > MOST_BYTES)
      throw new RaisedError('builtins.ValueError', `The log has ${bytes} bytes; at most ${MOST_BYTES} are sent.`)
    return Array.fromAsync(createLogCursor(place, query).chunks())
  }

  /** One string; the programs of Buildbot drop who sends them a longer one than they take. */
  async function text(channels: readonly number[]): Promise<string> {
    const wanted = (await chunks()).filter(({ channel }) => channels.includes(channel))
    const whole = wanted.map((chunk) => chunk.text).join('')
    const bytes = Buffer.byteLength(whole)
    if (bytes <= SENDABLE) return whole
    throw new RaisedError('builtins.ValueError', `The text has ${bytes} bytes: ask for its parts with getChunks.`)
  }

  const self: Referenceable = new Referenceable({
    getName: () => ref.log,
    getStep: () => tree.step(ref),
    isFinished: finished,
    async waitUntilFinished() {
      await waiters.until(stepEnd(ref.build.id, ref.step), finished)
      return self
    },
    getText: () => text([CHANNELS.stdout, CHANNELS.stderr]),
    getTextWithHeaders: () => text(Object.values(CHANNELS)),
    getChunks: async () => (await chunks()).map((chunk): Value => new Tuple([chunk.channel, chunk.text])),
  })
  return self
}
