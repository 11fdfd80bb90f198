import type { Stream } from 'boltbot/plugin-sdk'
import type { LogKey, LogStore } from '../store/log-store.ts'

/**
 * What a process before stored of the logs of a step that is run again from its beginning: its bytes come once more, in the same order
 * within each stream, and must not be stored twice. Counted by stream, as the redactor of one may hold back bytes that came before
 * stored ones of another.
 */
export interface PastLogs {
  /** Logs that have some, as far as they were asked about. */
  names(): Promise<readonly string[]>
  /** Bytes that were stored of a log. */
  length(log: string): Promise<number>
  /** So many bytes of a stream come: gives how many of them, the first, are stored. They count as seen. */
  skip(log: string, stream: Stream, length: number): Promise<number>
  /** What is stored behind what was seen, `most` bytes of it. Nothing when the order of its streams does not tell. */
  ahead(log: string, most: number): Promise<Ahead>
  /** Hands over so many bytes of what is ahead; they count as seen. */
  replay(log: string, length: number, take: (stream: Stream, data: Uint8Array) => void): Promise<void>
}

export interface Ahead {
  readonly length: number
  /** How many of the bytes are of each stream. */
  readonly streams: Readonly<Partial<Record<Stream, number>>>
}

interface Past {
  readonly length: number
  readonly runs: { readonly stream: Stream; length: number }[]
  readonly stored: Counts
  readonly seen: Counts
}

type Counts = Record<Stream, number>

export function createPastLogs(store: LogStore, key: Omit<LogKey, 'log'>): PastLogs {
  const logs = new Map<string, Promise<Past>>()
  const of = (log: string) => logs.getOrInsertComputed(log, () => load(log))

  async function load(log: string): Promise<Past> {
    const length = await store.length({ ...key, log })
    const past: Past = { length, runs: [], stored: none(), seen: none() }
    await each(log, 0, length, (stream, data) => {
      const last = past.runs.at(-1)
      if (last?.stream === stream) last.length += data.length
      else past.runs.push({ stream, length: data.length })
      past.stored[stream] += data.length
    })
    return past
  }

  async function each(log: string, from: number, to: number, take: (stream: Stream, data: Uint8Array) => void) {
    for (let at = from; at < to; ) {
      const pieces = await store.read({ ...key, log }, at, to)
      if (pieces.length === 0) return
      for (const { stream, data } of pieces) {
        take(stream, data)
        at += data.length
      }
    }
  }

  return {
    async names() {
      await of('stdio') // it may have been given up before it was asked about
      const known = await Promise.all([...logs].map(async ([log, past]) => [log, await past] as const))
      return known.filter(([, { length }]) => length > 0).map(([log]) => log)
    },
    length: async (log) => (await of(log)).length,
    async skip(log, stream, length) {
      const { stored, seen } = await of(log)
      const skipped = Math.min(length, stored[stream] - seen[stream])
      seen[stream] += skipped
      return skipped
    },
    async ahead(log, most) {
      const past = await of(log)
      const at = sum(past.seen)
      const before = countsIn(past, 0, at)
      if (STREAMS.some((stream) => before[stream] !== past.seen[stream])) return { length: 0, streams: {} }
      const length = Math.min(most, past.length - at)
      return { length, streams: countsIn(past, at, at + length) }
    },
    async replay(log, length, take) {
      const { seen } = await of(log)
      const at = sum(seen)
      await each(log, at, at + length, (stream, data) => {
        seen[stream] += data.length
        take(stream, data)
      })
    },
  }
}

const STREAMS: readonly Stream[] = ['stdout', 'stderr', 'header']
const none = (): Counts => ({ stdout: 0, stderr: 0, header: 0 })
const sum = (counts: Counts) => counts.stdout + counts.stderr + counts.header

/** How many of the bytes `from`..`to` are of each stream. */
function countsIn({ runs }: Past, from: number, to: number): Counts {
  const counts = none()
  let at = 0
  for (const { stream, length } of runs) {
    counts[stream] += Math.max(0, Math.min(to, at + length) - Math.max(from, at))
    at += length
  }
  return counts
}
