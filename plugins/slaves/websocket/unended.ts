import { type Host, messageOf } from 'boltbot/plugin-sdk'

/**
 * Shell commands that a stock worker was given and has not ended. Over msgpack it lets them run when its link breaks, also when the
 * master is killed: the next link has it end them, before anything new begins in their folders.
 */
export interface UnendedCommands {
  /** Those of links before this one. */
  read(): Promise<readonly string[]>
  /** Resolves when it is noted. */
  begin(id: string): Promise<void>
  end(id: string): void
  /** Those of links before this one have ended. */
  clear(): void
}

export function createUnendedCommands({ state, log }: Pick<Host, 'state' | 'log'>, slave: string): UnendedCommands {
  const key = `unended ${slave}`
  const running = new Set<string>()
  let last: Promise<void> = Promise.resolve()

  /** What cannot be noted is run all the same: the note is for a bad day. */
  function note(): Promise<void> {
    last = last
      .then(() => (running.size === 0 ? state.delete(key) : state.set(key, [...running])))
      .catch((error: unknown) => log.warn('running commands not noted', { slave, reason: messageOf(error) }))
    return last
  }

  return {
    async read() {
      const ids = await state.get(key)
      return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : []
    },
    begin(id) {
      running.add(id)
      return note()
    },
    end(id) {
      if (running.delete(id)) void note()
    },
    clear: () => void note(),
  }
}
