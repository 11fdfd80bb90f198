import type { BuilderView } from 'boltbot/plugin-sdk'
import type { Referenceable, Value } from '../../../wire/pb/values.ts'

/** Tells a client which builders there are and in which state, each once. */
export interface BuilderNews {
  /** Looks, and tells what is new. Resolves when that is told; never rejects. */
  refresh(): Promise<void>
  /** Tells all from the start, as to somebody new. */
  again(): void
}

export interface BuilderNewsDeps {
  builders(): Promise<readonly BuilderView[]>
  tell(method: string, name: string, ...args: readonly Value[]): void
  object(name: string): Referenceable
  withStates(): boolean
}

export function createBuilderNews({ builders, tell, object, withStates }: BuilderNewsDeps): BuilderNews {
  /** State that was told; `null`: none was. */
  const told = new Map<string, string | null>()
  let looking: Promise<void> | undefined
  /** One look that begins later is enough for all who ask meanwhile. */
  let next: Promise<void> | undefined

  async function look(): Promise<void> {
    const now = await builders()
    const names = new Set(now.map(({ name }) => name))
    for (const name of told.keys()) {
      if (names.has(name)) continue
      told.delete(name)
      tell('builderRemoved', name)
    }
    for (const { name, state } of now) {
      if (!told.has(name)) {
        told.set(name, null)
        tell('builderAdded', name, object(name))
      }
      if (!withStates() || told.get(name) === state) continue
      told.set(name, state)
      tell('builderChangedState', name, state, null) // an estimate that was moved to builds
    }
  }

  async function startLooking(): Promise<void> {
    await looking
    next = undefined
    looking = look().catch(() => {}) // a store that closes: there is nobody to tell then
    await looking
  }

  return {
    refresh: () => (next ??= startLooking()),
    again() {
      told.clear()
      void this.refresh()
    },
  }
}
