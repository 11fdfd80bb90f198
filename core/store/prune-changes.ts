import type { Json, SourceStamp } from 'boltbot/plugin-sdk'
import { sql, type Transaction } from 'kysely'
import type { Old } from './prune.ts'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/**
 * Removes old changes that nothing refers to: no build, no request that waits or has no build, no scheduler's state, no event that somebody has
 * yet to read. Looks at `limit` of them after `position`; `next` is where to go on, `null` at the end.
 */
export function removeChanges(
  store: Store,
  old: Old,
  position: number,
  limit: number,
): Promise<{ readonly removed: number; readonly next: number | null }> {
  return store.transition('removeChanges', async (trx) => {
    const kept = await firstKept(trx, old.count)
    const unread = await firstUnread(trx)
    const rows = await trx
      .selectFrom('changes')
      .select('id')
      .where('id', '>', position)
      .where('id', '<', unread)
      .where((eb) => eb.or([eb('accepted_at', '<', old.before ?? 0), eb('id', '<', kept)]))
      .orderBy('id')
      .limit(limit)
      .execute()
    const ids = rows.map((row) => row.id)
    if (ids.length === 0) return { removed: 0, next: null }
    const referred = await referredTo(trx, ids)
    const gone = ids.filter((id) => !referred.has(id))
    if (gone.length > 0) await trx.deleteFrom('changes').where('id', 'in', gone).execute()
    return { removed: gone.length, next: ids.length < limit ? null : ids.at(-1)! }
  })
}

/** The first change that is among the newest `count`; 0 when there are not more. */
async function firstKept(trx: Transaction<Tables>, count: number | null): Promise<number> {
  if (count === null) return 0
  const row = await trx
    .selectFrom('changes')
    .select('id')
    .orderBy('id', 'desc')
    .limit(1)
    .offset(count)
    .executeTakeFirst()
  return row === undefined ? 0 : row.id + 1
}

/** The first change whose event a durable plugin or a scheduler has yet to read: it may take it up. */
async function firstUnread(trx: Transaction<Tables>): Promise<number> {
  const positions = [
    await trx
      .selectFrom('cursors')
      .select((eb) => eb.fn.min('event_id').as('id'))
      .executeTakeFirst(),
    await trx
      .selectFrom('schedulers')
      .select((eb) => eb.fn.min('event_id').as('id'))
      .executeTakeFirst(),
  ].flatMap((row) => (row?.id === undefined || row.id === null ? [] : [Number(row.id)]))
  if (positions.length === 0) return Number.MAX_SAFE_INTEGER
  const event = await trx
    .selectFrom('journal')
    .select('payload')
    .where('name', '=', 'changeAccepted')
    .where('id', '>', Math.min(...positions))
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  if (event === undefined) return Number.MAX_SAFE_INTEGER
  const { change } = JSON.parse(event.payload) as { readonly change: { readonly id: number } } // as it was told
  return change.id
}

async function referredTo(trx: Transaction<Tables>, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const built = await trx
    .selectFrom('build_changes')
    .select('change_id')
    .distinct()
    .where('change_id', 'in', [...ids])
    .execute()
  const found = new Set(built.map((row) => row.change_id))
  const unbuilt = await trx
    .selectFrom('buildsets')
    .select('source_stamp')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('requests')
        .select('buildset_id')
        // One that waits again names the build that was lost with it, which may be gone already.
        .where((either) => either.or([either('build_id', 'is', null), either('state', '=', sql.lit('waiting'))])),
    )
    .execute()
  for (const { source_stamp } of unbuilt)
    for (const id of (JSON.parse(source_stamp) as SourceStamp).changes) found.add(id)
  // What a scheduler keeps is its own affair: any number in it may be a change.
  const schedulers = await trx.selectFrom('schedulers').select('state').execute()
  for (const { state } of schedulers) addNumbers(JSON.parse(state) as Json, found)
  return found
}

function addNumbers(value: Json, found: Set<number>): void {
  if (typeof value === 'number') found.add(value)
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) addNumbers(item, found)
}
