import type { Clock } from 'boltbot/plugin-sdk'

/** How often a plugin may fail before it is suspended. */
export interface CrashBudget {
  /** Counts a failure; true when that was one too many. */
  failed(): boolean
  worked(): void
  reset(): void
}

export interface CrashLimits {
  /** Failures with no success between them. */
  readonly consecutive: number
  /** Failures within `windowMs`. */
  readonly inWindow: number
  readonly windowMs: number
}

export const CRASH_LIMITS: CrashLimits = Object.freeze({ consecutive: 20, inWindow: 50, windowMs: 600_000 })

export function createCrashBudget(clock: Pick<Clock, 'now'>, limits: CrashLimits = CRASH_LIMITS): CrashBudget {
  let row = 0
  let recent: number[] = []
  return {
    failed() {
      const now = clock.now()
      row++
      recent = recent.filter((at) => at > now - limits.windowMs)
      recent.push(now)
      return row >= limits.consecutive || recent.length > limits.inWindow
    },
    worked() {
      row = 0
    },
    reset() {
      row = 0
      recent = []
    },
  }
}
