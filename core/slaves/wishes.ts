import type { Clock } from 'boltbot/plugin-sdk'
import { keepAway, keepPause } from '../store/slave-wishes.ts'
import type { Away, Pause, SlaveRecord } from '../store/slaves.ts'
import type { Store } from '../store/store.ts'

/** What people said of slaves and meant to last: pauses and planned absences. In the store, and at hand for every look at a slave. */
export interface Wishes {
  load(records: ReadonlyMap<string, SlaveRecord>): void
  paused(slave: string): Pause | undefined
  /** `undefined` also when it is over. */
  away(slave: string): Away | undefined
  /** `null`: no longer. Resolves when stored. */
  pause(slave: string, pause: Pause | null): Promise<void>
  plan(slave: string, away: Away | null): Promise<void>
}

export function createWishes({ store, clock }: { readonly store: Store; readonly clock: Clock }): Wishes {
  const pauses = new Map<string, Pause>()
  const plans = new Map<string, Away>()
  return {
    load(records) {
      for (const [slave, { paused, away }] of records) {
        if (paused !== null) pauses.set(slave, paused)
        if (away !== null) plans.set(slave, away)
      }
    },
    paused: (slave) => pauses.get(slave),
    away(slave) {
      const plan = plans.get(slave)
      return plan !== undefined && plan.until > clock.now() ? plan : undefined
    },
    async pause(slave, pause) {
      await keepPause(store, slave, pause)
      if (pause === null) pauses.delete(slave)
      else pauses.set(slave, pause)
    },
    async plan(slave, away) {
      await keepAway(store, slave, away)
      if (away === null) plans.delete(slave)
      else plans.set(slave, away)
    },
  }
}
