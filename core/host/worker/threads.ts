/** The threads of the plugins of one master, for who moves its clock by hand: they live in real time, and that stands still for them only when they have settled. */
export interface Threads {
  /** A thread that was opened, until it is gone. */
  add(thread: SettlingThread): Disposable
  /** Something a thread is waited for with, whatever the clock says. */
  during(work: Promise<unknown>): void
  /** Resolves when each has done what it can do before the clock moves. True: something was said, so that the master may have to settle again. */
  settle(): Promise<boolean>
  /** Ends all as the end of the process would: nobody hears of it. */
  vanish(): void
}

export interface SettlingThread {
  /** Resolves when it has nothing to do at present; true when it said or was told something since the last time. */
  settle(): Promise<boolean>
  vanish(): void
}

export function createThreads(): Threads {
  const threads = new Set<SettlingThread>()
  const works = new Set<Promise<unknown>>()
  return {
    add(thread) {
      threads.add(thread)
      return { [Symbol.dispose]: () => void threads.delete(thread) }
    },
    during(work) {
      works.add(work)
      const done = () => void works.delete(work)
      work.then(done, done)
    },
    async settle() {
      const waited = works.size > 0
      await Promise.allSettled(works)
      const stirred = await Promise.all([...threads].map((thread) => thread.settle()))
      return waited || stirred.includes(true)
    },
    vanish() {
      for (const thread of threads) thread.vanish()
      threads.clear()
    },
  }
}
