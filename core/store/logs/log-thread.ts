import { Worker } from 'node:worker_threads'
import { type Clock, type Log, messageOf } from 'boltbot/plugin-sdk'
import type { Ask, Failure, Reply, Request } from './messages.ts'

/** The thread that has the files of the logs. It is there while it is needed: unused, it would take 10 MB for nothing. */
export interface LogThread {
  /** Answered in the order of the calls. Rejects with a {@link Failure}. */
  ask<T>(request: Ask, transfer?: ArrayBuffer[]): Promise<T>
  /** Behind what was asked before. */
  close(): Promise<void>
}

export interface LogThreadDeps {
  readonly directory: string
  readonly clock: Pick<Clock, 'timer'>
  readonly log: Log
}

/**
 * Unused for so long, or twice as long, the thread ends. What it syncs or compresses is long done by then: if not, the log is whole
 * and compressed when it is next opened.
 */
export const UNUSED_MS = 120_000

export function createLogThread({ directory, clock, log }: LogThreadDeps): LogThread {
  const waiting = new Map<number, Waiting>()
  let nextId = 0
  let worker: Worker | undefined
  let exited: Promise<void> | undefined
  let used = false
  let watch: Disposable | undefined
  /** Asked while an unused thread ends: two of them must not have the same files. */
  let held: (() => void)[] | undefined
  let closed = false

  function startWorker(): Worker {
    // Beside this file, as it runs: from source or built.
    const entry = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const started = new Worker(new URL(entry, import.meta.url), { name: 'logs', workerData: { directory } })
    started.on('message', (reply: Reply) => receive(reply))
    started.on('error', (error: unknown) => {
      log.error('log thread failed', { error })
      ended(started, messageOf(error))
    })
    exited = new Promise((resolve) => {
      started.on('exit', () => {
        ended(started, 'the log thread ended')
        resolve()
      })
    })
    watch = clock.timer(UNUSED_MS, endWhenUnused)
    return started
  }

  function ended(which: Worker, reason: string): void {
    if (worker !== which) return
    worker = undefined
    watch?.[Symbol.dispose]()
    for (const one of waiting.values()) one.reject({ code: 'failed', reason })
    waiting.clear()
    const next = held ?? []
    held = undefined
    for (const go of next) go()
  }

  /** Looked at now and then, so that what is asked costs no timer. */
  function endWhenUnused(): void {
    if (used || waiting.size > 0) {
      used = false
      watch = clock.timer(UNUSED_MS, endWhenUnused)
    } else {
      held = []
      worker?.postMessage({ op: 'close', id: nextId++ } satisfies Request)
    }
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

  function ask<T>(request: Ask, transfer: ArrayBuffer[] = []): Promise<T> {
    if (closed) return Promise.reject({ code: 'closed', reason: '' } satisfies Failure)
    return new Promise((resolve, reject) => {
      const go = () => {
        const id = nextId++
        // Each request's answer has the type that its caller names; worker.ts is the other half.
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
        // A thread that failed took nothing with it that was acknowledged: the next one goes on from the files.
        worker ??= startWorker()
        worker.postMessage({ ...request, id } satisfies Request, transfer)
      }
      used = true
      if (held) held.push(go)
      else go()
    })
  }

  return {
    ask,
    async close() {
      if (closed) return
      const answered = worker && ask({ op: 'close' })
      closed = true
      // A thread that fails now has nothing left to do.
      await answered?.catch(() => {})
      await exited
    },
  }
}

interface Waiting {
  resolve(value: unknown): void
  reject(failure: Failure): void
}
