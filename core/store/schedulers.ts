import type { Json } from 'boltbot/plugin-sdk'
import type { CreatedBuildset, NewBuildset } from './buildsets.ts'
import { insertBuildset } from './buildsets.ts'
import type { Store } from './store.ts'

/** What is stored of a scheduler. */
export interface SchedulerRow {
  readonly name: string
  readonly state: Json
  /** The journal event it has seen last. */
  readonly eventId: number
  readonly wakeAt: number | null
  readonly waiting: string | null
}

/** Its row; a new scheduler begins after the event `from`: it is not fed the past. */
export function openScheduler(store: Store, name: string, initial: Json, from: number): Promise<SchedulerRow> {
  return store.transition('openScheduler', async (trx) => {
    const known = await trx.selectFrom('schedulers').selectAll().where('name', '=', name).executeTakeFirst()
    if (known !== undefined) return toScheduler(known)
    const row = { name, state: JSON.stringify(initial), event_id: from, wake_at: null, waiting: null }
    await trx.insertInto('schedulers').values(row).execute()
    return toScheduler(row)
  })
}

/** A decision: new state, position in the journal and the buildsets it asks for, all or nothing. */
export function saveDecision(
  store: Store,
  next: SchedulerRow,
  buildsets: readonly NewBuildset[],
): Promise<readonly CreatedBuildset[]> {
  return store.transition('saveDecision', async (trx, tell) => {
    await trx
      .updateTable('schedulers')
      .set({
        state: JSON.stringify(next.state),
        event_id: next.eventId,
        wake_at: next.wakeAt,
        waiting: next.waiting,
      })
      .where('name', '=', next.name)
      .execute()
    const created: CreatedBuildset[] = []
    for (const buildset of buildsets) created.push(await insertBuildset(trx, tell, store.now(), buildset))
    return created
  })
}

function toScheduler(row: {
  name: string
  state: string
  event_id: number
  wake_at: number | null
  waiting: string | null
}): SchedulerRow {
  return {
    name: row.name,
    state: JSON.parse(row.state) as Json,
    eventId: row.event_id,
    wakeAt: row.wake_at,
    waiting: row.waiting,
  }
}
