import { fdatasync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Compressing, compressLog } from './compressed.ts'
import type { Appended, AppendPart, Failure, ReadAnswer, Sizes } from './messages.ts'
import { isMissing, type OpenLog, openLog } from './open-log.ts'

/** The logs of a folder, in the worker thread: file calls stop this thread and no other. Only syncs are left to the pool. */
export interface LogFiles {
  append(bytes: Uint8Array, parts: readonly AppendPart[]): Appended[]
  length(path: string): number
  lines(path: string): number
  finish(path: string): Promise<Sizes>
  read(path: string, from: number, to: number | null): ReadAnswer
  lineOffset(path: string, line: number): number
  remove(folder: string): void
  /** Ends what is being synced, gives up what is being compressed. */
  close(): Promise<void>
}

export interface LogFilesDeps {
  readonly directory: string
  /** A finished log could not be synced or compressed; it is whole as it is. */
  readonly warn: (message: 'log not synced' | 'log not compressed', path: string, reason: string) => void
}

/** Files kept open are twice as many. */
const OPEN_LOGS = 128
/** Finished logs that wait for their sync. */
const UNSYNCED = 64
/** Smaller ones take one disk block either way. */
const WORTH_COMPRESSING = 16 * 1024
const sync = promisify(fdatasync)

export function createLogFiles({ directory, warn }: LogFilesDeps): LogFiles {
  /** In order of last use. */
  const open = new Map<string, OpenLog>()
  const toCompress: { readonly path: string; readonly length: number }[] = []
  let compressing: Current | undefined
  let scheduled = false
  let lastSync: Promise<void> = Promise.resolve()
  let unsynced = 0

  function use(path: string, create: boolean): OpenLog | undefined {
    const known = open.get(path)
    const log = known ?? openLog(join(directory, path), create)
    if (log === undefined) return undefined
    open.delete(path)
    open.set(path, log)
    if (open.size > OPEN_LOGS) drop(open.keys().next().value!)
    // Finished by a process that did not come to compress it.
    if (known === undefined && log.sealed && !log.compressed) compressLater(path, log.length)
    return log
  }

  function drop(path: string): void {
    open.get(path)?.close()
    open.delete(path)
  }

  /** Gives the length before. */
  function appendTo(path: string, pieces: readonly { stream: number; bytes: Uint8Array }[]): Appended {
    try {
      const log = use(path, true)!
      if (log.sealed) return { code: 'finished', reason: '' }
      const before = log.length
      log.append(pieces)
      return before
    } catch (error) {
      // Opened anew it puts itself right: bytes that the index does not know are cut off.
      drop(path)
      return failure(error)
    }
  }

  async function syncAndClose(path: string, log: OpenLog, length: number): Promise<void> {
    try {
      await Promise.all(log.descriptors.map((fd) => sync(fd)))
    } catch (error) {
      warn('log not synced', path, failure(error).reason)
    }
    log.close()
    unsynced--
    compressLater(path, length)
  }

  function compressLater(path: string, length: number): void {
    if (length < WORTH_COMPRESSING) return
    if (compressing?.path === path || toCompress.some((one) => one.path === path)) return
    toCompress.push({ path, length })
    scheduleNext()
  }

  /** One block a turn: appends and reads come in between. */
  function compressSome(): void {
    scheduled = false
    // One that is being synced goes on by itself.
    if (compressing?.written) return
    compressing ??= nextJob()
    if (compressing === undefined) return
    const current = compressing
    try {
      current.written = current.job.step()
      if (current.written) void replace(current)
      else scheduleNext()
    } catch (error) {
      giveUp(current, error)
    }
  }

  function scheduleNext(): void {
    if (!scheduled) setImmediate(compressSome)
    scheduled = true
  }

  function nextJob(): Current | undefined {
    for (let next = toCompress.shift(); next !== undefined; next = toCompress.shift()) {
      const path = join(directory, next.path)
      try {
        const job = compressLog(`${path}.log`, `${path}.logz.tmp`, next.length)
        return { path: next.path, job, written: false }
      } catch (error) {
        // Not there: removed before its turn came.
        if (!isMissing(error)) warn('log not compressed', next.path, failure(error).reason)
      }
    }
    return undefined
  }

  async function replace(done: Current): Promise<void> {
    try {
      await sync(done.job.fd)
      // Removed meanwhile, or the store was closed.
      if (compressing !== done) return
      done.job.close()
      const path = join(directory, done.path)
      renameSync(`${path}.logz.tmp`, `${path}.logz`)
      drop(done.path)
      rmSync(`${path}.log`)
      compressing = undefined
      scheduleNext()
    } catch (error) {
      if (compressing === done) giveUp(done, error)
    }
  }

  function giveUp(current: Current, error: unknown): void {
    warn('log not compressed', current.path, failure(error).reason)
    dropJob()
  }

  function dropJob(): void {
    const job = compressing?.job
    compressing = undefined
    try {
      job?.drop()
    } catch {
      // Its file is in nobody's way: the next attempt writes over it.
    }
    scheduleNext()
  }

  return {
    append(bytes, parts) {
      const pieces = new Map<string, { stream: number; bytes: Uint8Array }[]>()
      let at = 0
      for (const part of parts) {
        const piece = { stream: part.stream, bytes: bytes.subarray(at, at + part.length) }
        pieces.getOrInsertComputed(part.path, () => []).push(piece)
        at += part.length
      }
      const answers = new Map(Array.from(pieces, ([path, mine]) => [path, appendTo(path, mine)]))
      return parts.map((part) => {
        const answer = answers.get(part.path)!
        if (typeof answer !== 'number') return answer
        const length = answer + part.length
        answers.set(part.path, length)
        return length
      })
    },
    length: (path) => use(path, false)?.length ?? 0,
    lines: (path) => use(path, false)?.lines ?? 0,
    async finish(path) {
      const log = use(path, false)
      if (log === undefined) return { bytes: 0, lines: 0 }
      const sizes = { bytes: log.length, lines: log.lines }
      if (log.sealed) return sizes
      // From here on the sync has it for itself: nobody closes its files meanwhile.
      open.delete(path)
      try {
        log.seal()
      } catch (error) {
        log.close()
        throw error
      }
      unsynced++
      lastSync = lastSync.then(() => syncAndClose(path, log, sizes.bytes))
      // The step need not wait for the disk, unless so many files are open by now.
      if (unsynced > UNSYNCED) await lastSync
      return sizes
    },
    read: (path, from, to) => use(path, false)?.read(from, to ?? Number.POSITIVE_INFINITY) ?? NOTHING,
    lineOffset: (path, line) => use(path, false)?.lineOffset(line) ?? 0,
    remove(folder) {
      const below = (path: string) => path.startsWith(`${folder}/`)
      for (const path of [...open.keys()].filter(below)) drop(path)
      if (compressing !== undefined && below(compressing.path)) dropJob()
      toCompress.splice(0, toCompress.length, ...toCompress.filter((one) => !below(one.path)))
      rmSync(join(directory, folder), { recursive: true, force: true })
    },
    async close() {
      await lastSync
      toCompress.length = 0
      dropJob()
      for (const path of [...open.keys()]) drop(path)
    },
  }
}

interface Current {
  readonly path: string
  readonly job: Compressing
  written: boolean
}

const NOTHING: ReadAnswer = Object.freeze({ bytes: new Uint8Array(0), runs: [] })

export function failure(error: unknown): Failure {
  return { code: 'failed', reason: error instanceof Error ? error.message : String(error) }
}
