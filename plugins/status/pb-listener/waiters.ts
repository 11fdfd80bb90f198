/** Clients that wait for an end: of a build, a step, a buildset. */
export interface Waiters {
  /** Resolves when it has ended, also when it has already: `ended` looks. */
  until(what: string, ended: () => Promise<boolean>): Promise<void>
  /** It has ended. */
  end(what: string): void
}

export function createWaiters(): Waiters {
  const waiting = new Map<string, PromiseWithResolvers<void>>()
  return {
    async until(what, ended) {
      // Noted before it is looked at: the end may come between.
      const waiter = waiting.get(what) ?? Promise.withResolvers<void>()
      waiting.set(what, waiter)
      if (await ended()) this.end(what)
      return waiter.promise
    },
    end(what) {
      waiting.get(what)?.resolve()
      waiting.delete(what)
    },
  }
}

export const buildEnd = (id: number) => `build ${id}`
export const stepEnd = (id: number, step: number) => `step ${id}/${step}`
export const buildsetEnd = (id: number) => `buildset ${id}`
