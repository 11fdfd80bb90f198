import type { FakeClock } from '../fake-clock.ts'

/** Moves the clock a little while something waits for it: stops have deadlines and pings. */
export async function driven<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false
  const ended = work.finally(() => {
    done = true
  })
  ended.catch(() => {}) // given to the caller below
  for (let i = 0; i < 2000 && !done; i++) {
    await clock.settle()
    if (!done) await clock.advance(10)
  }
  return ended
}
