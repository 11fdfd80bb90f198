import type { Clock } from 'boltbot/plugin-sdk'
import type { FakeClock } from 'boltbot/plugin-sdk/testing'
import { sleepBy } from '../../core/sleep.ts'
import type { Life } from './life.ts'

/** The clock of one process: its timers stop with it. */
export interface MortalClock extends Clock {
  /** Where each timer was made that has not fired. */
  open(): readonly string[]
}

export function createMortalClock(clock: FakeClock, life: Life): MortalClock {
  const timers = new Map<Disposable, Error>()
  life.onDeath(() => {
    for (const timer of [...timers.keys()]) timer[Symbol.dispose]()
  })

  const timer: Clock['timer'] = (ms, fire) => {
    let over = false
    const inner = clock.timer(ms, () => {
      timers.delete(handle)
      // A frozen process finds its timer due when it goes on.
      life.whenAlive(() => {
        if (!over) fire()
      })
    })
    const handle = {
      [Symbol.dispose]() {
        over = true
        timers.delete(handle)
        inner[Symbol.dispose]()
      },
    }
    if (life.state === 'dead') handle[Symbol.dispose]()
    else timers.set(handle, new Error('made'))
    return handle
  }
  return {
    now: () => clock.now(),
    timer,
    sleep: sleepBy(timer),
    open: () => [...timers.values()].map(placeOf),
  }
}

/** Asked of few: a stack is made into text when it is read. */
function placeOf({ stack = '' }: Error): string {
  return (stack.split('\n').find((line) => /\/core\//.test(line)) ?? stack).trim()
}
