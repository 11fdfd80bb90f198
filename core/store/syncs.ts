import type { Clock } from 'boltbot/plugin-sdk'

/** Makes commits survive a power cut, with as few syncs as those who wait for them allow. */
export interface Syncs<Batch extends Synced> {
  /** A batch that was just committed, in the order of the commits. */
  add(batch: Batch): void
  /** Resolves when nothing is left to be synced. */
  close(): Promise<void>
}

export interface Synced {
  /** Nobody's next move waits for it. */
  readonly patient: boolean
  /** Is patient, and of a plugin or only told: see `SPARED_MS`. */
  readonly sparing: boolean
}

export interface SyncsDeps<Batch> {
  /** Real time, as the disk's is, also where the master's clock is moved by hand. */
  readonly time: Pick<Clock, 'now' | 'timer'>
  /** Makes all that was committed before the call survive a power cut. */
  readonly sync: () => Promise<void>
  /** It is durable; those before it were told first. */
  readonly durable: (batch: Batch) => void
  /** A sync failed: nobody knows what of these is on the disk. */
  readonly failed: (error: unknown, lost: readonly Batch[]) => void
}

/** Syncs under way at once: a commit need not wait for the end of a sync that began before it. The pool has four threads. */
const SYNCS = 3
/**
 * Sparing commits begin no sync while builds are recorded, which would wait for the disk behind it: the next of theirs covers them. If none
 * comes within this time, they have one of their own.
 */
const SPARED_MS = 50
/** So long behind the last commit that was not sparing, builds are being recorded. */
const RECORDING_MS = 200

/**
 * Syncs run in the thread pool; one covers every commit before it. They settle in the order they began, so events keep theirs. Patient ones
 * begin none beside another: the places are left to what is waited for.
 */
export function createSyncs<Batch extends Synced>({ time, sync, durable, failed }: SyncsDeps<Batch>): Syncs<Batch> {
  const committed: Batch[] = []
  const running: Sync<Batch>[] = []
  let recordedAt = Number.NEGATIVE_INFINITY
  let spared: Disposable | undefined
  let idle: PromiseWithResolvers<void> | undefined

  const isSpared = () =>
    committed.every((batch) => batch.sparing) && time.now() - recordedAt < RECORDING_MS && idle === undefined

  /** `isDue`: what is sparing waits no longer. */
  function begin(isDue: boolean): void {
    const most = committed.every((batch) => batch.patient) ? 1 : SYNCS
    if (committed.length === 0 || running.length >= most) return
    if (!isDue && isSpared()) {
      spared ??= time.timer(SPARED_MS, () => {
        spared = undefined
        begin(true)
      })
      return
    }
    spared?.[Symbol.dispose]()
    spared = undefined
    const one: Sync<Batch> = { batches: committed.splice(0), ended: false }
    running.push(one)
    sync().then(() => {
      one.ended = true
      while (running[0]?.ended) running.shift()!.batches.forEach(durable)
      begin(false)
      if (running.length === 0) idle?.resolve()
    }, breakDown)
  }

  function breakDown(error: unknown): void {
    failed(error, [...running.splice(0).flatMap((one) => one.batches), ...committed.splice(0)])
    idle?.resolve()
  }

  return {
    add(batch) {
      committed.push(batch)
      if (!batch.sparing) recordedAt = time.now()
      // The end of a build is followed by the start of the next one: one sync for both.
      if (batch.patient) setImmediate(begin, false)
      else begin(false)
    },
    async close() {
      idle = Promise.withResolvers()
      begin(true) // what was left to the end of the turn, or spared
      if (running.length > 0) await idle.promise
    },
  }
}

interface Sync<Batch> {
  readonly batches: readonly Batch[]
  ended: boolean
}
