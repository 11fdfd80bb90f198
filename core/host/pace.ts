import type { Clock } from 'boltbot/plugin-sdk'

export interface PaceLimits {
  /** So many at once, after a rest. */
  readonly burst: number
  /** And then so many a second. */
  readonly perSecond: number
}

/** Resolves when it is one's turn: at once, until there were too many; then as often as is allowed, first come first served. */
export function createPace(clock: Pick<Clock, 'now' | 'sleep'>, { burst, perSecond }: PaceLimits): () => Promise<void> {
  /** When the next turn would be, if none had been saved up. */
  let next = Number.NEGATIVE_INFINITY
  return async () => {
    const now = clock.now()
    const step = 1000 / perSecond
    next = Math.max(next, now - burst * step) + step
    if (next > now) await clock.sleep(next - now)
  }
}
