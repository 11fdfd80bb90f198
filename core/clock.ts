import type { Clock, Log, Random } from 'boltbot/plugin-sdk'
import { sleepBy } from './sleep.ts'

/** The real clock. A throw in a timer goes to `log`. */
export function createClock(log: Log): Clock {
  const timer: Clock['timer'] = (ms, fire) => {
    // setTimeout counts in 31 bits: longer waits are made of pieces.
    let handle: NodeJS.Timeout
    const arm = (left: number) => {
      const piece = Math.min(left, 2 ** 31 - 1)
      handle = setTimeout(() => {
        if (left > piece) return arm(left - piece)
        try {
          fire()
        } catch (error) {
          log.error('timer failed', { error })
        }
      }, piece)
    }
    arm(Math.max(0, ms))
    return { [Symbol.dispose]: () => clearTimeout(handle) }
  }
  return { now: () => Date.now(), timer, sleep: sleepBy(timer) }
}

/** Real chance. */
export const random: Random = { next: () => Math.random() }
