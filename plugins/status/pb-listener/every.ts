import type { Clock } from 'boltbot/plugin-sdk'

/** Does something now and then again and again, one after the other; what it throws ends it. */
export function every(clock: Clock, ms: number, act: () => Promise<void>): Disposable {
  let timer: Disposable | undefined
  let over = false
  const go = () => {
    act().then(
      () => {
        if (!over) timer = clock.timer(ms, go)
      },
      () => {}, // what it tells of is gone
    )
  }
  go()
  return {
    [Symbol.dispose]() {
      over = true
      timer?.[Symbol.dispose]()
    },
  }
}

/** Seconds between two estimates as a client wants them, as milliseconds; `undefined`: it wants none. */
export function intervalMs(seconds: number): number | undefined {
  return seconds > 0 ? Math.min(Math.max(seconds, 1), 86_400) * 1000 : undefined
}
