import type { Clock } from 'boltbot/plugin-sdk'
import { createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { createClock } from '../../../core/clock.ts'

/** A real clock that goes `times` as fast: waits between tries take no minutes of a test. */
export function createFastClock(times: number): Clock {
  const real = createClock(createMemoryLog())
  const began = real.now()
  return {
    now: () => began + (real.now() - began) * times,
    timer: (ms, fire) => real.timer(ms / times, fire),
    sleep: (ms, signal) => real.sleep(ms / times, signal),
  }
}
