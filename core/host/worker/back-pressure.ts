/** So many messages of a thread may wait to be counted. */
const MOST = 1000

/**
 * Keeps a thread from saying more than the master will take in: one that is too far ahead sleeps until some was counted, also in a loop that
 * never lets go of its thread. One counter in memory that both see.
 */
export interface BackPressure {
  /** The thread's side: called before each message. */
  send(): void
  /** The master's side: counts one that it has read, when it will. */
  take(): void
}

export function createBackPressure(shared: SharedArrayBuffer): BackPressure {
  const taken = new Int32Array(shared)
  let sent = 0
  return {
    send() {
      sent = (sent + 1) | 0 // both wrap around
      for (;;) {
        const read = Atomics.load(taken, 0)
        if (((sent - read) | 0) <= MOST) return
        Atomics.wait(taken, 0, read)
      }
    },
    take() {
      Atomics.add(taken, 0, 1)
      Atomics.notify(taken, 0)
    },
  }
}
