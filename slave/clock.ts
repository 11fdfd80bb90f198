/** Time of the agent, injected so that tests can move it. Milliseconds. */
export interface SlaveClock {
  now(): number
  timer(ms: number, fire: () => void): Disposable
}

/** The real clock: the only place of the agent that knows the time. */
export function createSlaveClock(): SlaveClock {
  return {
    now: () => Date.now(),
    timer(ms, fire) {
      // setTimeout counts in 31 bits: longer waits are made of pieces.
      let handle: NodeJS.Timeout
      const arm = (left: number) => {
        const piece = Math.min(left, 2 ** 31 - 1)
        handle = setTimeout(() => (left > piece ? arm(left - piece) : fire()), piece)
      }
      arm(Math.max(0, ms))
      return { [Symbol.dispose]: () => clearTimeout(handle) }
    },
  }
}

export function sleep(clock: SlaveClock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.timer(ms, resolve))
}
