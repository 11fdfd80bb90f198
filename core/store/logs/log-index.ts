import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs'

/**
 * The index beside a log: records of 16 bytes, each for a run of bytes of one stream: where it ends, how many newlines the log has
 * up to there, which stream. Runs are cut at 64 KiB, so both the run and the line of any place are found by halving and one
 * short scan. The last record of a finished log is a seal.
 *
 * ```
 * 0..5 end of the run   6..11 newlines up to it   12 stream   13 1: seal   14..15 check
 * ```
 */
export interface LogIndex {
  /** The last run; of an empty log one that ends at 0. */
  readonly last: Run
  readonly sealed: boolean
  /** Writes what comes after `last`; the first of them may be `last` itself, grown. After a throw the index is to be opened anew. */
  append(runs: readonly Run[]): void
  seal(): void
  /** The first run that ends behind a byte, and its place. */
  findByte(offset: number): Place | undefined
  /** The run that holds newline number `line`, counted from 1. */
  findNewline(line: number): Place | undefined
  /** The run at a place. */
  at(place: number): Run | undefined
  /** Drops runs that end behind `length`. */
  cut(length: number): void
}

export interface Run {
  readonly start: number
  readonly end: number
  /** Newlines before `start`. */
  readonly linesBefore: number
  /** Newlines before `end`. */
  readonly lines: number
  readonly stream: number
}

export interface Place {
  readonly place: number
  readonly run: Run
}

/** No run is longer. */
const RUN_BYTES = 64 * 1024
const RECORD = 16
const NOTHING: Run = Object.freeze({ start: 0, end: 0, linesBefore: 0, lines: 0, stream: -1 })

/** Opens the index in a file; incomplete or damaged records at its end are cut off. */
export function openLogIndex(fd: number): LogIndex {
  const { size } = fstatSync(fd)
  let count = Math.floor(size / RECORD)
  let sealed = false
  while (count > 0) {
    const record = readRecord(fd, count - 1)
    if (record !== undefined) {
      sealed = record.seal
      break
    }
    count--
  }
  // A seal is no run.
  let runs = sealed ? count - 1 : count
  let last = runAt(runs - 1) ?? NOTHING
  if (!sealed && size > runs * RECORD) ftruncateSync(fd, runs * RECORD)

  function runAt(place: number): Run | undefined {
    if (place < 0 || place >= runs) return undefined
    const record = readRecord(fd, place)
    const before = place === 0 ? undefined : readRecord(fd, place - 1)
    // Damage in the middle: as if nothing was known of it.
    if (record === undefined) return undefined
    const { end, lines, stream } = record
    return { start: before?.end ?? 0, end, linesBefore: before?.lines ?? 0, lines, stream }
  }

  function findFirst(isBehind: (record: Stored) => boolean): Place | undefined {
    let low = 0
    let high = runs
    while (low < high) {
      const middle = (low + high) >>> 1
      const record = readRecord(fd, middle)
      if (record === undefined || isBehind(record)) high = middle
      else low = middle + 1
    }
    const run = runAt(low)
    return run && { place: low, run }
  }

  return {
    get last() {
      return last
    },
    get sealed() {
      return sealed
    },
    append(added) {
      const first = added[0]?.start === last.start && runs > 0 ? runs - 1 : runs
      const bytes = Buffer.allocUnsafe(added.length * RECORD)
      for (const [i, run] of added.entries()) encode(bytes, i * RECORD, { ...run, seal: false })
      writeWhole(fd, bytes, first * RECORD)
      runs = first + added.length
      last = added.at(-1) ?? last
    },
    seal() {
      const bytes = Buffer.allocUnsafe(RECORD)
      encode(bytes, 0, { end: last.end, lines: last.lines, stream: 255, seal: true })
      writeWhole(fd, bytes, runs * RECORD)
      sealed = true
    },
    findByte: (offset) => findFirst((record) => record.end > offset),
    findNewline: (line) => findFirst((record) => record.lines >= line),
    at: runAt,
    cut(length) {
      while (runs > 0 && last.end > length) {
        runs--
        last = runAt(runs - 1) ?? NOTHING
      }
      ftruncateSync(fd, runs * RECORD)
    },
  }
}

/** The runs that `bytes` add to a log whose last run is `last`, which grows first when it is of the same stream and short. */
export function runsOf(last: Run, stream: number, bytes: Uint8Array): Run[] {
  const runs: Run[] = []
  let current = last
  for (let from = 0; from < bytes.length; ) {
    const grows = current.stream === stream && current.end - current.start < RUN_BYTES
    const room = grows ? RUN_BYTES - (current.end - current.start) : RUN_BYTES
    const piece = bytes.subarray(from, from + room)
    const end = current.end + piece.length
    const lines = current.lines + countNewlines(piece)
    current = grows
      ? { ...current, end, lines }
      : { start: current.end, end, linesBefore: current.lines, lines, stream }
    runs.push(current)
    from += piece.length
  }
  return runs
}

export function countNewlines(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}

export const NEWLINE = 10

/** Writes all of it, however often the system stops in between. */
export function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

interface Stored {
  readonly end: number
  readonly lines: number
  readonly stream: number
  readonly seal: boolean
}

function encode(bytes: Buffer, at: number, { end, lines, stream, seal }: Stored): void {
  bytes.writeUIntLE(end, at, 6)
  bytes.writeUIntLE(lines, at + 6, 6)
  bytes[at + 12] = stream
  bytes[at + 13] = seal ? 1 : 0
  bytes.writeUInt16LE(check(bytes, at), at + 14)
}

function readRecord(fd: number, place: number): Stored | undefined {
  const bytes = Buffer.allocUnsafe(RECORD)
  if (readSync(fd, bytes, 0, RECORD, place * RECORD) < RECORD) return undefined
  if (bytes.readUInt16LE(14) !== check(bytes, 0)) return undefined
  return { end: bytes.readUIntLE(0, 6), lines: bytes.readUIntLE(6, 6), stream: bytes[12]!, seal: bytes[13] === 1 }
}

/** Not zero for a record of zeros: that is what a file system leaves where a write did not arrive. */
function check(bytes: Uint8Array, at: number): number {
  let sum = 0x5a5a
  for (let i = at; i < at + 14; i++) sum = ((sum << 1) ^ (sum >>> 15) ^ bytes[i]!) & 0xffff
  return sum
}
