import type { Clock, Log, WaitingBuilder } from 'boltbot/plugin-sdk'
import type { Config } from '../config/model.ts'
import { firstWaiting } from '../store/requests.ts'
import type { Store } from '../store/store.ts'
import { createAsker } from './choices.ts'

/** The order in which builders are looked at, by the config's `prioritizeBuilders`. */
export interface BuilderOrder {
  /** Which of these is looked at first. `builders` come in the order that holds without the function. */
  first(builders: readonly string[]): Promise<string | undefined>
  /** What is known of its queue does not hold any more. */
  forget(builder: string): void
  started(builder: string): void
}

export interface BuilderOrderDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly config: () => Config
}

export function createBuilderOrder(deps: BuilderOrderDeps): BuilderOrder {
  const { store, clock, config } = deps
  const ask = createAsker(deps)
  const heads = new Map<string, Pick<WaitingBuilder, 'waitingSince' | 'priority'>>()
  const lastStarted = new Map<string, number>()

  async function headOf(builder: string) {
    const known = heads.get(builder)
    if (known !== undefined) return known
    const head = (await firstWaiting(store.db, builder, store.now(), 1, []))[0]
    const found = { waitingSince: head?.submittedAt ?? null, priority: head?.priority ?? 0 }
    heads.set(builder, found)
    return found
  }

  return {
    async first(builders) {
      const prioritize = config().prioritizeBuilders
      if (prioritize === null || builders.length < 2) return builders[0]
      const offered: WaitingBuilder[] = []
      for (const name of builders) {
        const category = config().builders.get(name)?.category ?? null
        offered.push({ name, category, ...(await headOf(name)), lastStarted: lastStarted.get(name) ?? null })
      }
      const answer = await ask(null, 'prioritizeBuilders', () => prioritize(offered))
      for (const item of Array.isArray(answer) ? answer : []) {
        const name = typeof item === 'string' ? item : item?.name
        if (builders.includes(name)) return name
      }
      return builders[0]
    },
    forget: (builder) => void heads.delete(builder),
    started(builder) {
      heads.delete(builder)
      lastStarted.set(builder, clock.now())
    },
  }
}
