import type { Clock, Stream } from 'boltbot/plugin-sdk'
import type { PastLogs } from './adopted/past-logs.ts'
import { logLeft } from './errors.ts'
import type { LogKey, LogStore } from './store/log-store.ts'
import type { StepLog } from './store/steps.ts'

/**
 * Stage 13 of the walk: the logs of one step. Bytes go through the redactor (no secret reaches the disk) into the log store; live
 * views are woken at most ten times a second.
 */
export interface StepLogs {
  /** Appends; resolves when stored. @throws CiError `BOLT_LOGS_WRITE`. */
  append(log: string, stream: Stream, data: Uint8Array): Promise<void>
  /** Ends all logs and gives their sizes, once all is stored. */
  finish(): Promise<readonly StepLog[]>
  readonly names: readonly string[]
  /** Ends nothing, as the step goes on under the next process: resolves when what was appended is stored; nothing is from then on. */
  leave(): Promise<void>
}

/** Hides secrets in a stream of bytes; holds back what may be the beginning of one. */
export interface StreamRedactor {
  push(data: Uint8Array): Uint8Array
  /** What was held back. */
  end(): Uint8Array
}

export interface StepLogsDeps {
  readonly store: LogStore
  readonly clock: Clock
  readonly key: Omit<LogKey, 'log'>
  readonly redactor: () => StreamRedactor
  /** Of a step that a process before began: what it stored is not stored again. */
  readonly past: PastLogs | undefined
  /** Told of new bytes, coalesced; `undefined` when nobody listens. */
  readonly appended: ((log: string, length: number) => void) | undefined
  /** A log could not be ended (synced, compressed). */
  readonly ended: (error: unknown) => void
}

const WAKE_MS = 100

export function createStepLogs({ store, clock, key, redactor, past, appended, ended }: StepLogsDeps): StepLogs {
  const redactors = new Map<string, Map<Stream, StreamRedactor>>()
  /** Appends of one log go one after the other. */
  const tails = new Map<string, Promise<unknown>>()
  const lengths = new Map<string, number>()
  let wake: Disposable | undefined
  let left = false

  function write(log: string, stream: Stream, make: () => Uint8Array | Promise<Uint8Array>): Promise<void> {
    const run = (tails.get(log) ?? Promise.resolve()).then(async () => {
      if (left) throw logLeft(key.build, key.step, log)
      const data = await make()
      if (data.length === 0) return
      lengths.set(log, await store.append({ ...key, log }, stream, data))
      if (appended !== undefined) wake ??= clock.timer(WAKE_MS, tell)
    })
    tails.set(
      log,
      run.catch(() => {}),
    ) // the writer has the error; later appends go on
    return run
  }

  function tell(): void {
    wake = undefined
    for (const [log, length] of lengths) appended?.(log, length)
  }

  function redactorOf(log: string, stream: Stream): StreamRedactor {
    const byStream = redactors.getOrInsertComputed(log, () => new Map())
    return byStream.getOrInsertComputed(stream, redactor)
  }

  return {
    get names() {
      return [...redactors.keys()]
    },
    append(log, stream, data) {
      const redactor = redactorOf(log, stream)
      if (past === undefined) return write(log, stream, redactNow(redactor, data))
      return write(log, stream, async () => redactor.push(data.subarray(await past.skip(log, stream, data.length))))
    },
    async leave() {
      wake?.[Symbol.dispose]()
      await Promise.all(tails.values())
      left = true
    },
    async finish() {
      for (const [name, byStream] of redactors) {
        for (const [stream, kept] of byStream) await write(name, stream, () => kept.end()).catch(() => {}) // the writer of before was told
        await tails.get(name)
        // Compressed behind the build's back: a log that is not ended reads the same.
        store.finish({ ...key, log: name }).catch(ended)
      }
      wake?.[Symbol.dispose]()
      const names = [...new Set([...((await past?.names()) ?? []), ...redactors.keys()])]
      const before = await Promise.all(names.map((name) => past?.length(name) ?? 0))
      return names.map((name, index) => ({ name, bytes: lengths.get(name) ?? before[index]! }))
    },
  }
}

/** Redacted in the order of the calls, whatever is still being stored. */
function redactNow(redactor: StreamRedactor, data: Uint8Array): () => Uint8Array {
  const redacted = redactor.push(data)
  return () => redacted
}
