/** Things that are used by one at a time, by name; who asked first goes first. */
export interface Turns {
  /** Resolves when it is one's turn, which ends when what it gives is disposed. Rejects when the signal aborts before. */
  take(name: string, signal: AbortSignal): Promise<Disposable>
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>()
  return {
    async take(name, signal) {
      const before = last.get(name)
      const over = Promise.withResolvers<void>()
      const mine = Promise.all([before, over.promise]).then(() => {
        if (last.get(name) === mine) last.delete(name)
      })
      last.set(name, mine)
      const aborted = Promise.withResolvers<never>()
      aborted.promise.catch(() => {})
      const abort = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      try {
        if (before !== undefined) await Promise.race([before, aborted.promise])
        signal.throwIfAborted()
      } catch (error) {
        over.resolve()
        throw error
      } finally {
        signal.removeEventListener('abort', abort)
      }
      return { [Symbol.dispose]: () => over.resolve() }
    },
  }
}
