import { type Clock, messageOf, type WhyNot } from 'boltbot/plugin-sdk'

/** Builders whose builds could not be started: each waits longer than before for its next try. */
export interface StartPauses {
  /** The first failure is tried again at once, perhaps elsewhere; what fails again and again must not keep the master busy. */
  failed(builder: string, error: unknown): void
  succeeded(builder: string): void
  /** Why a builder waits for its next try; `undefined`: it does not. */
  of(builder: string): WhyNot | undefined
  /** No more pauses are begun. */
  stop(): void
}

const FIRST_MS = 1000
const MAX_MS = 60_000

/** @param again called when a pause is over. */
export function createStartPauses(clock: Clock, again: (builder: string) => void): StartPauses {
  const failures = new Map<string, number>()
  const pauses = new Map<string, { readonly why: WhyNot; readonly timer: Disposable }>()
  let stopped = false
  return {
    failed(builder, error) {
      const count = (failures.get(builder) ?? 0) + 1
      failures.set(builder, count)
      if (count === 1 || stopped) return
      const ms = Math.min(FIRST_MS * 2 ** (count - 2), MAX_MS)
      const at = new Date(clock.now() + ms).toISOString()
      const why = { code: 'start-failed', text: `it could not be started: ${messageOf(error)} Next try at ${at}` }
      const timer = clock.timer(ms, () => {
        pauses.delete(builder)
        again(builder)
      })
      pauses.get(builder)?.timer[Symbol.dispose]()
      pauses.set(builder, { why, timer })
    },
    succeeded: (builder) => void failures.delete(builder),
    of: (builder) => pauses.get(builder)?.why,
    stop() {
      stopped = true
      for (const { timer } of pauses.values()) timer[Symbol.dispose]()
    },
  }
}
