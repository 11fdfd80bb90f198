import type { Clock } from 'boltbot/plugin-sdk'

export interface Deadline {
  readonly clock: Clock
  readonly ms: number
  /** What to reject with when the time is up. */
  readonly late: () => Error
  /** Gives up earlier, with its reason. */
  readonly signal?: AbortSignal
}

/** The promise's outcome, if it comes in time. What it does later is the caller's to watch. */
export async function withDeadline<T>(promise: PromiseLike<T> | T, { clock, ms, late, signal }: Deadline): Promise<T> {
  const { promise: cut, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal?.reason)
  if (signal?.aborted) abort()
  using _ = clock.timer(ms, () => reject(late()))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, cut])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
