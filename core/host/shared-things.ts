import type { Clock, Log, SharedContext } from 'boltbot/plugin-sdk'

/** Things that several plugins use together, by key. Each is opened for the first that asks, and closed behind the last. */
export interface SharedThings {
  /** Rejects as `open` does; the next that asks opens anew. */
  take<T extends Disposable | AsyncDisposable>(
    key: string,
    open: (context: SharedContext) => T | Promise<T>,
  ): Promise<Share<T>>
}

/** One plugin's part of a thing: disposing gives it back. */
export interface Share<T> extends AsyncDisposable {
  readonly thing: T
}

interface Entry {
  readonly opened: Promise<Disposable | AsyncDisposable>
  users: number
}

export function createSharedThings({ clock, log }: { readonly clock: Clock; readonly log: Log }): SharedThings {
  const entries = new Map<string, Entry>()
  /** Things on their way out: the next of this key is opened when they are gone. */
  const closing = new Map<string, Promise<void>>()

  async function giveBack(key: string, entry: Entry): Promise<void> {
    if (--entry.users > 0 || entries.get(key) !== entry) return
    entries.delete(key)
    const done = entry.opened.then((thing) =>
      Symbol.asyncDispose in thing ? thing[Symbol.asyncDispose]() : thing[Symbol.dispose](),
    )
    closing.set(
      key,
      Promise.resolve(done).catch(() => {}),
    ) // who disposes hears of it
    try {
      await done
    } finally {
      closing.delete(key)
    }
  }

  return {
    async take(key, open) {
      let entry = entries.get(key)
      if (entry === undefined) {
        const context = { clock, log: log.child({ shared: key }) }
        entry = { opened: Promise.resolve(closing.get(key)).then(() => open(context)), users: 0 }
        entries.set(key, entry)
      }
      const mine = entry
      mine.users++
      let given: Promise<void> | undefined
      try {
        const thing = await mine.opened
        return { thing: thing as never, [Symbol.asyncDispose]: () => (given ??= giveBack(key, mine)) } // one key, one type
      } catch (error) {
        if (entries.get(key) === mine) entries.delete(key)
        throw error
      }
    },
  }
}
