import { CAPACITY } from './plan.ts'
import type { World } from './world.ts'

/** The stored holds of locks: an exclusive holder is alone, counting ones are no more than there is room for. */
export async function checkHolds({ store, verdict }: Pick<World, 'store' | 'verdict'>): Promise<void> {
  const rows = await store.db.selectFrom('lock_holds').selectAll().execute()
  const capacities = new Map<string, number>(Object.entries(CAPACITY))
  for (const [lock, holders] of Map.groupBy(rows, (row) => row.lock)) {
    const exclusive = holders.some((holder) => holder.mode === 'exclusive')
    const capacity = exclusive ? 1 : (capacities.get(lock.split('@')[0]!) ?? 1)
    if (holders.length <= capacity) continue
    const who = holders.map(({ build_id, step, mode }) => `build ${build_id} step ${step} (${mode})`).join(', ')
    verdict.broken('locks are never overfull', `${lock} is held by ${who}`)
  }
}
