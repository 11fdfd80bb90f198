import type { CiError, Clock, Log } from 'boltbot/plugin-sdk'
import { logFinished, logsClosed, logUnreadable, logUnwritable } from '../errors.ts'
import type { LogKey, LogPiece, LogStore } from '../log-store.ts'
import { createLogThread } from './log-thread.ts'
import {
  type Appended,
  type AppendPart,
  type Ask,
  type Failure,
  type ReadAnswer,
  type Sizes,
  STREAMS,
} from './messages.ts'
import { buildFolder, logPath } from './paths.ts'

export interface FileLogStoreOptions {
  /** Made when the first log is written. No other process may use it at the same time. */
  readonly directory: string
  readonly clock: Pick<Clock, 'timer'>
  readonly log: Log
}

/** More in one message would hold its memory for longer than it saves time. */
const MESSAGE_BYTES = 4 * 1024 * 1024
/** Each message wakes the thread: the end of a log, for which nobody waits, goes with what comes within this time. */
const END_MS = 50

/**
 * Logs as files below a folder, written by one worker thread. What is appended in one tick goes over in one message: copied once
 * (the caller's chunk may be a view into a larger buffer, or used elsewhere), then handed over without another copy.
 */
export function createFileLogStore({ directory, clock, log }: FileLogStoreOptions): LogStore {
  const thread = createLogThread({ directory, clock, log })
  const queued: Queued[] = []
  /** Of logs that are to be ended. */
  const ending: (() => void)[] = []
  let timer: Disposable | undefined

  /** Behind what was appended before. Rejects with a {@link Failure}. */
  function ask<T>(request: Ask): Promise<T> {
    flush()
    return thread.ask(request)
  }

  function flush(): void {
    timer?.[Symbol.dispose]()
    timer = undefined
    while (queued.length > 0) {
      let bytes = 0
      const fits = queued.findIndex((one) => (bytes += one.data.length) > MESSAGE_BYTES)
      send(queued.splice(0, fits === -1 ? queued.length : Math.max(1, fits)))
    }
    // Behind the bytes, as these are waited for.
    for (const end of ending.splice(0)) end()
  }

  function endSoon(path: string): Promise<Sizes> {
    timer ??= clock.timer(END_MS, flush)
    return new Promise((resolve, reject) => {
      ending.push(() => void thread.ask<Sizes>({ op: 'finish', path }).then(resolve, reject))
    })
  }

  function send(batch: readonly Queued[]): void {
    // Its own memory, not a slice of the pool, which could not be handed over.
    const bytes = Buffer.allocUnsafeSlow(batch.reduce((sum, one) => sum + one.data.length, 0))
    let at = 0
    const parts = batch.map(({ path, stream, data }): AppendPart => {
      bytes.set(data, at)
      at += data.length
      return { path, stream, length: data.length }
    })
    thread.ask<Appended[]>({ op: 'append', bytes, parts }, [bytes.buffer]).then(
      (answers) => batch.forEach((one, i) => void one.settle(answers[i]!)),
      (failure: Failure) => batch.forEach((one) => void one.settle(failure)),
    )
  }

  return {
    append(key, stream, data) {
      return new Promise((resolve, reject) => {
        const settle = (answer: Appended) => {
          if (typeof answer === 'number') resolve(answer)
          else reject(logNotWritten(key, answer))
        }
        if (queued.length === 0) queueMicrotask(flush)
        queued.push({ path: logPath(key), stream: STREAMS.indexOf(stream), data, settle })
      })
    },
    length: (key) => reading(key, ask<number>({ op: 'length', path: logPath(key) })),
    lines: (key) => reading(key, ask<number>({ op: 'lines', path: logPath(key) })),
    finish: (key) => writing(key, endSoon(logPath(key))),
    async read(key, from, to) {
      const request = ask<ReadAnswer>({ op: 'read', path: logPath(key), from, to: to ?? null })
      return toPieces(from, await reading(key, request))
    },
    lineOffset: (key, line) => reading(key, ask<number>({ op: 'lineOffset', path: logPath(key), line })),
    remove: (build) => writing({ build }, ask({ op: 'remove', folder: buildFolder(build) })),
    async close() {
      flush()
      await thread.close()
    },
  }
}

async function writing<T>(key: Partial<LogKey>, answer: Promise<T>): Promise<T> {
  return answer.catch((failure: Failure) => {
    throw logNotWritten(key, failure)
  })
}

async function reading<T>(key: LogKey, answer: Promise<T>): Promise<T> {
  return answer.catch((failure: Failure) => {
    throw failure.code === 'closed' ? logsClosed() : logUnreadable(key, failure.reason)
  })
}

function logNotWritten(key: Partial<LogKey>, failure: Failure): CiError {
  if (failure.code === 'closed') return logsClosed()
  return failure.code === 'finished' ? logFinished(key) : logUnwritable(key, failure.reason)
}

function toPieces(from: number, { bytes, runs }: ReadAnswer): LogPiece[] {
  let at = 0
  return runs.map(({ stream, length }) => {
    const piece = { offset: from + at, stream: STREAMS[stream]!, data: bytes.subarray(at, at + length) }
    at += length
    return piece
  })
}

interface Queued {
  readonly path: string
  readonly stream: number
  readonly data: Uint8Array
  readonly settle: (answer: Appended) => void
}
