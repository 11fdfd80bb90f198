import type { Stream } from 'boltbot/plugin-sdk'
import { logFinished, logsClosed } from '../errors.ts'
import type { LogKey, LogPiece, LogStore } from '../log-store.ts'
import { countNewlines, NEWLINE } from './log-index.ts'

const READ_BYTES = 1024 * 1024

/** Logs in memory, for simulations and tests: the contract of the files, nothing of them. */
export function createMemoryLogStore(): LogStore {
  const logs = new Map<number, Map<string, MemoryLog>>()
  let closed = false

  function find({ build, step, log, epoch }: LogKey): MemoryLog | undefined {
    if (closed) throw logsClosed()
    return logs.get(build)?.get(JSON.stringify([step, log, epoch]))
  }

  function make({ build, step, log, epoch }: LogKey): MemoryLog {
    const ofBuild = logs.getOrInsertComputed(build, () => new Map())
    return ofBuild.getOrInsertComputed(JSON.stringify([step, log, epoch]), () => ({
      pieces: [],
      length: 0,
      newlines: 0,
      finished: false,
    }))
  }

  return {
    async append(key, stream, data) {
      const log = find(key) ?? make(key)
      if (log.finished) throw logFinished(key)
      if (data.length > 0) log.pieces.push({ offset: log.length, stream, data: data.slice() })
      log.length += data.length
      log.newlines += countNewlines(data)
      return log.length
    },
    length: async (key) => find(key)?.length ?? 0,
    async lines(key) {
      const log = find(key)
      return log === undefined ? 0 : lineCount(log)
    },
    async finish(key) {
      const log = find(key)
      if (log === undefined) return { bytes: 0, lines: 0 }
      log.finished = true
      return { bytes: log.length, lines: lineCount(log) }
    },
    async read(key, from, to = Number.POSITIVE_INFINITY) {
      const log = find(key)
      const end = Math.min(to, log?.length ?? 0, from + READ_BYTES)
      const found: LogPiece[] = []
      for (const piece of log?.pieces ?? []) {
        const data = piece.data.subarray(Math.max(0, from - piece.offset), Math.max(0, end - piece.offset))
        if (data.length > 0) join(found, Math.max(from, piece.offset), piece.stream, data)
      }
      return found
    },
    async lineOffset(key, line) {
      const log = find(key)
      if (log === undefined) return 0
      const wanted = line < 0 ? Math.max(0, lineCount(log) + line) : line
      if (wanted === 0) return 0
      let seen = 0
      for (const { offset, data } of log.pieces) {
        for (let at = data.indexOf(NEWLINE); at !== -1; at = data.indexOf(NEWLINE, at + 1)) {
          if (++seen === wanted) return offset + at + 1
        }
      }
      return log.length
    },
    async remove(build) {
      if (closed) throw logsClosed()
      logs.delete(build)
    },
    async close() {
      closed = true
    },
  }
}

function join(found: LogPiece[], offset: number, stream: Stream, data: Uint8Array): void {
  const last = found.at(-1)
  if (last?.stream !== stream) found.push({ offset, stream, data })
  else found[found.length - 1] = { ...last, data: Buffer.concat([last.data, data]) }
}

function lineCount(log: MemoryLog): number {
  const last = log.pieces.at(-1)
  return log.newlines + (last === undefined || last.data.at(-1) === NEWLINE ? 0 : 1)
}

interface MemoryLog {
  readonly pieces: LogPiece[]
  length: number
  newlines: number
  finished: boolean
}
