import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Stream } from '../wire/agent/messages.ts'
import { reasonOf } from './problem.ts'

/** One log of a command: bytes by offset, the newest in memory, what came before in a file. */
export interface SpoolLog {
  readonly length: number
  /** How many of the bytes before `offset` are of each stream; `undefined`: there are not so many. */
  countsBefore(offset: number): Readonly<Partial<Record<Stream, number>>> | undefined
  append(stream: Stream, data: Uint8Array): Promise<void> | undefined
  read(offset: number, max: number): SpoolPiece | Promise<SpoolPiece>
  /** Writes all that is in memory. */
  persist(): Promise<StoredLog>
  close(): Promise<void>
}

export interface SpoolPiece {
  readonly stream: Stream
  readonly data: Uint8Array
}

/** What must be known of a log besides its bytes: where which stream begins. */
export interface StoredLog {
  readonly length: number
  readonly offsets: readonly number[]
  readonly streams: readonly Stream[]
}

export interface SpoolLogDeps {
  readonly path: string
  /** Makes the folder. */
  readonly ready: () => Promise<unknown>
  readonly failed: (reason: string) => void
  readonly stored: StoredLog | undefined
}

/** Bytes kept in memory before they are written. */
const MEMORY = 256 * 1024
/** Bytes kept in memory beside the file, as they are mostly read again in a moment. */
const RECENT = 4 * 1024 * 1024
/** Bytes waiting for the disk at which the writer is told to wait. */
const PATIENCE = 1024 * 1024

export function createSpoolLog({ path, ready, failed, stored }: SpoolLogDeps): SpoolLog {
  const offsets: number[] = [...(stored?.offsets ?? [])]
  const streams: Stream[] = [...(stored?.streams ?? [])]
  let length = stored?.length ?? 0
  /** Bytes before this are in the file. */
  let flushed = length
  /** Bytes from this on are in `pieces`. */
  let kept = length
  const pieces: { readonly offset: number; readonly data: Uint8Array }[] = []
  let handle: Promise<FileHandle> | undefined
  let writing: Promise<void> | undefined
  let broken = false

  const file = () => {
    handle ??= ready().then(() => open(path, stored ? 'r' : 'w+', 0o600))
    return handle
  }

  /** Index of the last entry at or before `offset`. */
  const at = (entries: number, offsetOf: (index: number) => number, offset: number): number => {
    let low = 0
    let high = entries - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (offsetOf(middle) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  async function write(): Promise<void> {
    while (length > flushed) {
      const first = at(pieces.length, (i) => pieces[i]!.offset, flushed)
      const batch = pieces.slice(first, first + 512).map((piece) => piece.data)
      await writeAll(await file(), batch, flushed)
      flushed += batch.reduce((sum, data) => sum + data.length, 0)
      dropOld(Math.min(flushed, length - RECENT))
    }
  }

  function dropOld(before: number): void {
    let count = 0
    while (count < pieces.length && pieces[count]!.offset + pieces[count]!.data.length <= before) count++
    pieces.splice(0, count)
    kept = pieces[0]?.offset ?? length
  }

  function flush(): Promise<void> {
    writing ??= write()
      .catch((error: unknown) => {
        broken = true
        failed(`The output cannot be kept in "${dirname(path)}": ${reasonOf(error)}.`)
      })
      .finally(() => {
        writing = undefined
      })
    return writing
  }

  function fromMemory(offset: number, max: number): Uint8Array {
    let index = at(pieces.length, (i) => pieces[i]!.offset, offset)
    const first = pieces[index]!
    const head = first.data.subarray(offset - first.offset, offset - first.offset + max)
    if (head.length === max || index === pieces.length - 1) return head
    const parts = [head]
    let left = max - head.length
    while (left > 0 && ++index < pieces.length) {
      const part = pieces[index]!.data.subarray(0, left)
      parts.push(part)
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  async function fromFile(stream: Stream, offset: number, max: number): Promise<SpoolPiece> {
    const buffer = Buffer.allocUnsafe(Math.min(max, kept - offset))
    const { bytesRead } = await (await file()).read(buffer, 0, buffer.length, offset)
    if (bytesRead === 0) throw new Error(`"${path}" is shorter than it was written`)
    return { stream, data: buffer.subarray(0, bytesRead) }
  }

  return {
    get length() {
      return length
    },
    countsBefore(offset) {
      if (offset > length) return undefined
      const counts: Partial<Record<Stream, number>> = {}
      for (const [index, stream] of streams.entries()) {
        const from = offsets[index]!
        if (from >= offset) break
        counts[stream] = (counts[stream] ?? 0) + Math.min(offset, offsets[index + 1] ?? length) - from
      }
      return counts
    },
    append(stream, data) {
      if (data.length === 0 || (broken && stream !== 'header')) return undefined
      if (streams.at(-1) !== stream) {
        streams.push(stream)
        offsets.push(length)
      }
      pieces.push({ offset: length, data })
      length += data.length
      if (broken || length - flushed <= MEMORY) return undefined
      const written = flush()
      return length - flushed > PATIENCE ? written : undefined
    },
    read(offset, max) {
      const segment = at(offsets.length, (i) => offsets[i]!, offset)
      const stream = streams[segment]!
      const most = Math.min(max, (offsets[segment + 1] ?? length) - offset)
      return offset < kept ? fromFile(stream, offset, most) : { stream, data: fromMemory(offset, most) }
    },
    async persist() {
      while (!broken && length > flushed) await flush()
      return { length: flushed, offsets, streams }
    },
    async close() {
      await writing
      await (await handle?.catch(() => undefined))?.close()
      handle = undefined
    },
  }
}

/** A write may take less than it is given. */
async function writeAll(handle: FileHandle, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let { bytesWritten } = await handle.writev(buffers, position)
  let rest = buffers.reduce((sum, data) => sum + data.length, 0) - bytesWritten
  if (rest === 0) return
  const all = Buffer.concat(buffers)
  while (rest > 0) {
    const written = await handle.write(all, bytesWritten, rest, position + bytesWritten)
    bytesWritten += written.bytesWritten
    rest -= written.bytesWritten
  }
}
