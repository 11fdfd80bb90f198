import type { Json } from 'boltbot/plugin-sdk'
import { type CreatedBuildset, insertBuildset, type NewBuildset } from './buildsets.ts'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/** What is stored of a scheduler. */
export interface SchedulerRow {
  readonly name: string
  /** Grows with each decision: a decision made on an older state than the stored one is refused. */
  readonly version: number
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
    const row = { name, version: 0, state: JSON.stringify(initial), event_id: from, wake_at: null, waiting: null }
    await trx.insertInto('schedulers').values(row).execute()
    return toScheduler(row)
  })
}

/**
 * A decision: new state, position in the journal and the buildsets it asks for, all or nothing. Gives the row as it is then, and
 * the buildsets; `null` when another master decided meanwhile: nothing was stored.
 */
export function saveDecision(
  store: Store,
  next: SchedulerRow,
  buildsets: readonly NewBuildset[],
): Promise<{ readonly row: SchedulerRow; readonly created: readonly CreatedBuildset[] } | null> {
  return store.transition('saveDecision', async (trx, tell) => {
    const { numUpdatedRows } = await trx
      .updateTable('schedulers')
      .set({
        version: next.version + 1,
        state: JSON.stringify(next.state),
        event_id: next.eventId,
        wake_at: next.wakeAt,
        waiting: next.waiting,
      })
      .where('name', '=', next.name)
      .where('version', '=', next.version)
      .executeTakeFirstOrThrow()
    if (numUpdatedRows === 0n) return null
    const created: CreatedBuildset[] = []
    for (const buildset of buildsets) created.push(await insertBuildset(trx, tell, store.now(), buildset))
    return { row: { ...next, version: next.version + 1 }, created }
  })
}

/** Forgets schedulers that are no longer in the config: their place in the journal would keep it from ever being pruned. */
export function keepSchedulers(store: Store, names: readonly string[]): Promise<void> {
  return store.transition('keepSchedulers', async (trx) => {
    let gone = trx.deleteFrom('schedulers')
    if (names.length > 0) gone = gone.where('name', 'not in', [...names])
    await gone.execute()
  })
}

function toScheduler(row: Tables['schedulers']): SchedulerRow {
  return {
    name: row.name,
    version: row.version,
    state: JSON.parse(row.state) as Json,
    eventId: row.event_id,
    wakeAt: row.wake_at,
    waiting: row.waiting,
  }
}
