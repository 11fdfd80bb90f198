import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { type CompressedLog, openCompressed, readWhole } from './compressed.ts'
import { type LogIndex, NEWLINE, openLogIndex, type Run, runsOf, writeWhole } from './log-index.ts'
import type { ReadAnswer } from './messages.ts'

/**
 * One log with its files open. `PATH.log` holds the bytes and nothing else, `PATH.idx` the index; a finished log may have
 * `PATH.logz` instead of `PATH.log`. The index is written after the bytes: what it does not know was never acknowledged.
 */
export interface OpenLog {
  /** In bytes. */
  readonly length: number
  readonly lines: number
  readonly sealed: boolean
  readonly compressed: boolean
  /** For syncing. */
  readonly descriptors: readonly number[]
  /** Appends pieces; all of them or, with a throw, none. After a throw: close it, open it anew. */
  append(pieces: readonly { readonly stream: number; readonly bytes: Uint8Array }[]): void
  seal(): void
  /** At most 1 MiB. */
  read(from: number, to: number): ReadAnswer
  lineOffset(line: number): number
  close(): void
}

const READ_BYTES = 1024 * 1024

/** Opens the log at a path, putting right what a kill left behind; `undefined` when there is none and `create` is false. */
export function openLog(path: string, create: boolean): OpenLog | undefined {
  const indexFd = openFile(`${path}.idx`, create)
  if (indexFd === undefined) return undefined
  let data: Data | undefined
  try {
    const index = openLogIndex(indexFd)
    data = openData(path, index)
    return overFiles(index, indexFd, data)
  } catch (error) {
    data?.close()
    closeSync(indexFd)
    throw error
  }
}

function overFiles(index: LogIndex, indexFd: number, data: Data): OpenLog {
  const bytes = () => index.last.end

  function countLines(): number {
    if (bytes() === 0) return 0
    return index.last.lines + (data.read(bytes() - 1, 1)[0] === NEWLINE ? 0 : 1)
  }

  /** Behind newline number `line`. */
  function behindNewline(line: number): number {
    const { run } = index.findNewline(line)!
    const piece = data.read(run.start, run.end - run.start)
    let at = -1
    for (let seen = run.linesBefore; seen < line; seen++) at = piece.indexOf(NEWLINE, at + 1)
    return run.start + at + 1
  }

  return {
    get length() {
      return bytes()
    },
    get lines() {
      return countLines()
    },
    get sealed() {
      return index.sealed
    },
    compressed: data.fd === undefined,
    descriptors: data.fd === undefined ? [] : [data.fd, indexFd],
    append(pieces) {
      const fd = data.fd!
      const before = bytes()
      const runs: Run[] = []
      for (const piece of pieces) {
        const more = runsOf(runs.at(-1) ?? index.last, piece.stream, piece.bytes)
        // The first of them may be the last one, grown.
        if (more.length > 0 && more[0]!.start === runs.at(-1)?.start) runs.pop()
        runs.push(...more)
      }
      if (runs.length === 0) return
      try {
        let position = before
        for (const piece of pieces) {
          writeWhole(fd, piece.bytes, position)
          position += piece.bytes.length
        }
        index.append(runs)
      } catch (error) {
        ftruncateSync(fd, before)
        throw error
      }
    },
    seal: () => index.seal(),
    read(from, to) {
      const end = Math.min(to, bytes(), from + READ_BYTES)
      if (from >= end) return { bytes: new Uint8Array(0), runs: [] }
      const runs: { stream: number; length: number }[] = []
      const found = index.findByte(from)!
      for (let place = found.place, at = from; at < end; place++) {
        const run = index.at(place)
        if (run === undefined) throw new Error('its index is damaged')
        const length = Math.min(run.end, end) - at
        const last = runs.at(-1)
        if (last?.stream === run.stream) last.length += length
        else runs.push({ stream: run.stream, length })
        at += length
      }
      return { bytes: data.read(from, end - from), runs }
    },
    lineOffset(line) {
      const lines = countLines()
      const wanted = line < 0 ? Math.max(0, lines + line) : line
      if (wanted === 0) return 0
      return wanted >= lines ? bytes() : behindNewline(wanted)
    },
    close() {
      data.close()
      closeSync(indexFd)
    },
  }
}

interface Data {
  /** `undefined`: compressed, read only. */
  readonly fd: number | undefined
  read(from: number, length: number): Uint8Array<ArrayBuffer>
  close(): void
}

function openData(path: string, index: LogIndex): Data {
  if (index.sealed) {
    const compressed = tryCompressed(path)
    if (compressed !== undefined) {
      // A kill came between the new file and the end of the old one.
      rmSync(`${path}.log`, { force: true })
      return {
        fd: undefined,
        read(from, length) {
          const bytes = new Uint8Array(length)
          compressed.read(bytes, from)
          return bytes
        },
        close: compressed.close,
      }
    }
  }
  const fd = openFile(`${path}.log`, true)!
  try {
    recover(fd, index)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return {
    fd,
    read(from, length) {
      const bytes = new Uint8Array(length)
      readWhole(fd, bytes, from)
      return bytes
    },
    close: () => closeSync(fd),
  }
}

function tryCompressed(path: string): CompressedLog | undefined {
  try {
    return openCompressed(`${path}.logz`)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Bytes and index as they were after the last append that both know. */
function recover(fd: number, index: LogIndex): void {
  const { size } = fstatSync(fd)
  // Only a power cut loses bytes that the index has.
  if (size < index.last.end) {
    if (index.sealed) throw new Error('its bytes are gone')
    index.cut(size)
  }
  if (size > index.last.end) ftruncateSync(fd, index.last.end)
}

function openFile(path: string, create: boolean): number | undefined {
  const flags = create ? constants.O_RDWR | constants.O_CREAT : constants.O_RDWR
  try {
    return openSync(path, flags, 0o640)
  } catch (error) {
    if (!isMissing(error)) throw error
    if (!create) return undefined
  }
  // The first log of its build.
  mkdirSync(dirname(path), { recursive: true })
  return openSync(path, flags, 0o640)
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
