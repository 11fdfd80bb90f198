import { Worker } from 'node:worker_threads'
import { type Host, messageOf } from 'boltbot/plugin-sdk'
import { mailTooSlow, mailUnreadable } from './errors.ts'
import type { Done, Job } from './jobs.ts'

/** Works in a maildir in a thread of its own: neither a slow disk nor a mail made to be slow keeps the master waiting. */
export interface MailThread extends AsyncDisposable {
  /** Jobs are done one after the other, in the order of the calls. Rejects when it breaks at this one, or the thread is disposed. */
  run(job: Job): Promise<Done>
}

const DEADLINE_MS = 60_000
/** A thread that has nothing to do costs memory; a new one costs a tenth of a second. */
const IDLE_MS = 60_000
const LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64 }
/** Go over in one message, and come back in one: each costs as much as a fifth of a mail. */
const TOGETHER = 16

/** `stopped` makes the error for jobs that are left when it is disposed. */
export function createMailThread({ clock }: Pick<Host, 'clock'>, stopped: () => Error): MailThread {
  /** In the order they were asked for, as they are done. */
  const waiting: Asked[] = []
  const ending = new Set<Promise<unknown>>()
  let current: Thread | undefined
  /** How many of those that wait the thread has been given. */
  let given = 0
  let sending: NodeJS.Immediate | undefined
  let timer: Disposable | undefined
  let over = false

  function start(): Thread {
    // Beside this file, as it runs: from source or built.
    const entry = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js'
    const begun = new Int32Array(new SharedArrayBuffer(4))
    const options = { name: 'maildir', resourceLimits: LIMITS, workerData: begun.buffer }
    const started: Thread = { worker: new Worker(new URL(entry, import.meta.url), options), begun, answered: 0 }
    const isCurrent = () => current === started
    started.worker.on('message', (done: readonly Done[]) => {
      if (!isCurrent()) return
      started.answered += done.length
      given -= done.length
      const asked = waiting.splice(0, done.length)
      watch()
      for (const [i, one] of asked.entries()) one.resolve(done[i]!)
    })
    started.worker.on('error', (error: unknown) => isCurrent() && giveUp(mailUnreadable(messageOf(error))))
    started.worker.on('exit', () => isCurrent() && giveUp(mailUnreadable('the thread that read it ended')))
    return started
  }

  /** The one that is being done is to blame; a new thread goes on with the others. */
  function giveUp(error: Error): void {
    const [blamed] = waiting.splice(Math.max(0, (current?.begun[0] ?? 0) - (current?.answered ?? 0) - 1), 1)
    end()
    blamed?.reject(error)
    send()
    watch()
  }

  /** Over is what waits, when the tick that asks for it is over. */
  function send(): void {
    sending = undefined
    if (over || waiting.length === given) return
    current ??= start()
    for (; given < waiting.length; given = Math.min(given + TOGETHER, waiting.length))
      current.worker.postMessage(waiting.slice(given, given + TOGETHER).map(({ job }) => job))
    watch()
  }

  /** Looks after the job that is being done, and after a thread without any. */
  function watch(): void {
    timer?.[Symbol.dispose]()
    timer = undefined
    if (over || current === undefined) return
    const { begun, answered } = current
    const before = begun[0]!
    const look = () => {
      const isStuck = begun[0] === before && before > answered // else it is at another one, or still starts
      if (isStuck) giveUp(mailTooSlow(DEADLINE_MS / 1000))
      else watch()
    }
    timer = given > 0 ? clock.timer(DEADLINE_MS, look) : clock.timer(IDLE_MS, end)
  }

  function end(): void {
    if (current === undefined) return
    const ended = current.worker.terminate().finally(() => ending.delete(ended))
    ending.add(ended)
    current = undefined
    given = 0
  }

  return {
    run(job) {
      return new Promise((resolve, reject) => {
        if (over) return reject(stopped())
        waiting.push({ job, resolve, reject })
        sending ??= setImmediate(send)
      })
    },
    async [Symbol.asyncDispose]() {
      over = true
      clearImmediate(sending)
      end()
      watch()
      for (const { reject } of waiting.splice(0)) reject(stopped())
      await Promise.all(ending)
    },
  }
}

interface Thread {
  readonly worker: Worker
  /** Written by the thread: how many jobs it has begun. */
  readonly begun: Int32Array
  answered: number
}

interface Asked {
  readonly job: Job
  readonly resolve: (done: Done) => void
  readonly reject: (error: Error) => void
}
