import type { Clock } from 'boltbot/plugin-sdk'
import { sleepBy } from '../sleep.ts'
import { tooManyTimers } from './errors.ts'

/** Open at once, sleeps among them. A plugin that has a timer for each build and each slave has fewer. */
const MOST = 10_000

/**
 * A plugin's clock: its timers and sleeps end with the plugin, whether or not it disposed them, and what a timer throws is
 * reported as the plugin's. A sleep that ends so never resolves: nothing of a stopped plugin goes on. One timer too many throws
 * `BOLT_HOST_TIMERS`, so that a loop that opens them fails before it has filled the memory.
 */
export function createPluginClock(plugin: string, clock: Clock, failed: (error: unknown) => void): Clock & Disposable {
  const open = new Set<Disposable>()
  let over = false

  const timer: Clock['timer'] = (ms, fire) => {
    if (over) return { [Symbol.dispose]() {} }
    if (open.size >= MOST) throw tooManyTimers(plugin, MOST)
    const handle: Disposable = {
      [Symbol.dispose]() {
        open.delete(handle)
        inner[Symbol.dispose]()
      },
    }
    open.add(handle)
    const inner = clock.timer(ms, () => {
      open.delete(handle)
      try {
        fire()
      } catch (error) {
        failed(error)
      }
    })
    return handle
  }
  return {
    now: () => clock.now(),
    timer,
    sleep: sleepBy(timer),
    [Symbol.dispose]() {
      over = true
      for (const handle of [...open]) handle[Symbol.dispose]()
    },
  }
}
