import type { Clock } from 'boltbot/plugin-sdk'
import { keepAway, keepLeaving, keepPause } from '../store/slave-wishes.ts'
import type { Away, Leaving, Pause, SlaveRecord } from '../store/slaves.ts'
import type { Store } from '../store/store.ts'

/** What people said of slaves and meant to last: pauses, planned absences, and who is to exit. In the store, and at hand for every look at a slave. */
export interface Wishes {
  load(records: ReadonlyMap<string, SlaveRecord>): void
  paused(slave: string): Pause | undefined
  /** `undefined` also when it is over. */
  away(slave: string): Away | undefined
  /** `null`: no longer. Resolves when stored. */
  pause(slave: string, pause: Pause | null): Promise<void>
  plan(slave: string, away: Away | null): Promise<void>
  leaving(slave: string): Leaving | undefined
  /** Counts at once; resolves when stored. */
  release(slave: string, leaving: Leaving | null): Promise<void>
}

export function createWishes({ store, clock }: { readonly store: Store; readonly clock: Clock }): Wishes {
  const pauses = new Map<string, Pause>()
  const plans = new Map<string, Away>()
  const releases = new Map<string, Leaving>()
  return {
    load(records) {
      for (const [slave, { paused, away, leaving }] of records) {
        if (leaving !== null) releases.set(slave, leaving)
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
    leaving: (slave) => releases.get(slave),
    async release(slave, leaving) {
      if (leaving !== null) releases.set(slave, leaving)
      else if (!releases.delete(slave)) return
      await keepLeaving(store, slave, leaving)
    },
  }
}
