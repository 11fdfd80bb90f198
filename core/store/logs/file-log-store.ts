import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type CiError, type Clock, type Log, messageOf } from 'boltbot/plugin-sdk'
import { logFinished, logsClosed, logUnreadable, logUnwritable } from '../errors.ts'
import type { LogKey, LogPiece, LogStore } from '../log-store.ts'
import {
  type Appended,
  type AppendPart,
  type Ask,
  type Failure,
  type ReadAnswer,
  type Reply,
  type Request,
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
  const waiting = new Map<number, Waiting>()
  const queued: Queued[] = []
  /** Of logs that are to be ended. */
  const ending: (() => void)[] = []
  let timer: Disposable | undefined
  let nextId = 0
  let worker: Worker | undefined = startWorker()
  let closed = false

  function startWorker(): Worker {
    // Beside this file, as it runs: from source or built.
    const entry = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const started = new Worker(new URL(entry, import.meta.url), { name: 'logs', workerData: { directory } })
    started.on('message', (reply: Reply) => receive(reply))
    const end = (reason: string) => {
      if (worker !== started) return
      worker = undefined
      for (const one of waiting.values()) one.reject({ code: 'failed', reason })
      waiting.clear()
    }
    started.on('error', (error: unknown) => {
      log.error('log thread failed', { error })
      end(messageOf(error))
    })
    started.on('exit', () => end('the log thread ended'))
    return started
  }

  function receive(reply: Reply): void {
    if ('warning' in reply) {
      log.warn(reply.warning, { path: reply.path, reason: reply.reason })
      return
    }
    const one = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('failed' in reply) one?.reject(reply.failed)
    else one?.resolve(reply.value)
  }

  /** Behind what was appended before. Rejects with a {@link Failure}. */
  function ask<T>(request: Ask): Promise<T> {
    flush()
    return post(request)
  }

  function post<T>(request: Ask, transfer: ArrayBuffer[] = []): Promise<T> {
    if (closed) return Promise.reject({ code: 'closed', reason: '' } satisfies Failure)
    return new Promise((resolve, reject) => {
      const id = nextId++
      // Each request's answer has the type that its caller names; worker.ts is the other half.
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      // A thread that failed took nothing with it that was acknowledged: the next one goes on from the files.
      worker ??= startWorker()
      worker.postMessage({ ...request, id } satisfies Request, transfer)
    })
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
      ending.push(() => void post<Sizes>({ op: 'finish', path }).then(resolve, reject))
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
    post<Appended[]>({ op: 'append', bytes, parts }, [bytes.buffer]).then(
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
      if (closed) return
      const current = worker
      const answered = current && ask({ op: 'close' })
      closed = true
      const exit = current && once(current, 'exit')
      // A thread that fails now has nothing left to do.
      await answered?.catch(() => {})
      await exit
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

interface Waiting {
  resolve(value: unknown): void
  reject(failure: Failure): void
}
