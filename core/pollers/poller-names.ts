import { type Poller, repositoryKey } from 'boltbot/plugin-sdk'
import { unknownPoller } from '../errors.ts'

interface Named {
  readonly plugin: string
  readonly poller: Poller
}

/** Finds pollers as people call them: by the whole name, by plugin, by what it is called there, or by repository. */
export function createPollerNames<T extends Named>(pollers: ReadonlyMap<string, T>): (name: string) => readonly T[] {
  return (name) => {
    const exact = pollers.get(name)
    if (exact !== undefined) return [exact]
    const all = [...pollers.values()]
    const ways: readonly ((one: T) => boolean)[] = [
      ({ plugin }) => plugin === name,
      ({ poller }) => poller.name === name,
      ({ poller }) => poller.repository !== undefined && repositoryKey(poller.repository) === repositoryKey(name),
    ]
    for (const fits of ways) {
      const found = all.filter(fits)
      if (found.length > 0) return found
    }
    throw unknownPoller(name, pollers.keys())
  }
}
