import { type Kysely, sql } from 'kysely'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/** What retention may remove, a batch at a time. Running builds, and requests that wait, always stay. */

/** What is old: finished before a time, or not among the newest `count` of its builder. */
export interface Old {
  readonly before: number | null
  readonly count: number | null
}

/** Finished builds that are old, at most `limit`. */
export async function oldBuilds(db: Kysely<Tables>, old: Old, limit: number): Promise<number[]> {
  const found = new Set<number>()
  if (old.before !== null) {
    const rows = await db
      .selectFrom('builds')
      .select('id')
      .where('finished_at', '<', old.before)
      .orderBy('finished_at')
      .limit(limit)
      .execute()
    for (const row of rows) found.add(row.id)
  }
  for (const [builder, from] of await firstKept(db, old.count)) {
    if (found.size >= limit) break
    const rows = await db
      .selectFrom('builds')
      .select('id')
      .where('builder', '=', builder)
      .where('number', '<', from)
      .where('finished_at', 'is not', null)
      .orderBy('number')
      .limit(limit - found.size)
      .execute()
    for (const row of rows) found.add(row.id)
  }
  return [...found]
}

/** Builds whose logs are old, among those after `position` that have any; `next` is where to go on, `null` at the end. */
export async function oldLogs(
  db: Kysely<Tables>,
  old: Old,
  position: number,
  limit: number,
): Promise<{ readonly builds: readonly number[]; readonly next: number | null }> {
  const withLogs = await db
    .selectFrom('steps')
    .select('build_id')
    .where('logs', '<>', sql.lit('[]'))
    .where('build_id', '>', position)
    .groupBy('build_id')
    .orderBy('build_id')
    .limit(limit)
    .execute()
  const last = withLogs.at(-1)
  if (last === undefined) return { builds: [], next: null }
  const kept = await firstKept(db, old.count)
  const rows = await db
    .selectFrom('builds')
    .select(['id', 'builder', 'number', 'finished_at'])
    .where(
      'id',
      'in',
      withLogs.map((row) => row.build_id),
    )
    .where('finished_at', 'is not', null)
    .execute()
  const builds = rows.filter(
    (row) => (old.before !== null && row.finished_at! < old.before) || row.number < (kept.get(row.builder) ?? 0),
  )
  return { builds: builds.map((row) => row.id), next: withLogs.length < limit ? null : last.build_id }
}

/** Their logs are gone from the log store: no step points at them any more. */
export function forgetLogs(store: Store, builds: readonly number[]): Promise<void> {
  return store.transition('forgetLogs', async (trx) => {
    await trx
      .updateTable('steps')
      .set({ logs: '[]' })
      .where('build_id', 'in', [...builds])
      .execute()
  })
}

/** Removes finished builds with their steps and finished requests, and the buildsets that have no request left. */
export function removeBuilds(store: Store, builds: readonly number[]): Promise<void> {
  return store.transition('removeBuilds', async (trx) => {
    const ids = [...builds]
    await trx.deleteFrom('steps').where('build_id', 'in', ids).execute()
    await trx.deleteFrom('build_changes').where('build_id', 'in', ids).execute()
    await trx.deleteFrom('builds').where('id', 'in', ids).where('finished_at', 'is not', null).execute()
    const requests = await trx
      .deleteFrom('requests')
      .where('build_id', 'in', ids)
      .where('state', '=', 'finished')
      .returning('buildset_id')
      .execute()
    const buildsets = [...new Set(requests.map((row) => row.buildset_id))]
    if (buildsets.length === 0) return
    await trx
      .deleteFrom('buildsets')
      .where('id', 'in', buildsets)
      .where('finished_at', 'is not', null)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('requests').select('requests.id').whereRef('requests.buildset_id', '=', 'buildsets.id'))),
      )
      .execute()
  })
}

/** Removes buildsets that ended before a time without a build: all cancelled. Resolves with how many; fewer than `limit`: the last. */
export function removeUnbuilt(store: Store, before: number, limit: number): Promise<number> {
  return store.transition('removeUnbuilt', async (trx) => {
    const rows = await trx
      .selectFrom('buildsets')
      .select('id')
      .where('finished_at', '<', before)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('requests')
              .select('requests.id')
              .whereRef('requests.buildset_id', '=', 'buildsets.id')
              .where((eb) => eb.or([eb('requests.build_id', 'is not', null), eb('requests.state', '<>', 'finished')])),
          ),
        ),
      )
      .orderBy('finished_at')
      .limit(limit)
      .execute()
    if (rows.length === 0) return 0
    const ids = rows.map((row) => row.id)
    await trx.deleteFrom('requests').where('buildset_id', 'in', ids).execute()
    await trx.deleteFrom('buildsets').where('id', 'in', ids).execute()
    return ids.length
  })
}

/**
 * Removes events from before a time, the oldest first, but none that a durable plugin or a scheduler has yet to read. Resolves with
 * how many; fewer than `limit`: the last.
 */
export async function removeEvents(store: Store, before: number, limit: number): Promise<number> {
  const durable = await store.durableEvents()
  return store.transition('removeEvents', async (trx) => {
    const cursor = await trx
      .selectFrom('cursors')
      .select((eb) => eb.fn.min('event_id').as('id'))
      .executeTakeFirst()
    const scheduler = await trx
      .selectFrom('schedulers')
      .select((eb) => eb.fn.min('event_id').as('id'))
      .executeTakeFirst()
    const read = Math.min(cursor?.id ?? durable, scheduler?.id ?? durable, durable)
    const rows = await trx
      .selectFrom('journal')
      .select(['id', 'at'])
      .where('id', '<=', read)
      .orderBy('id')
      .limit(limit)
      .execute()
    // Times of several masters are not quite in order; ids are what readers go by.
    const end = rows.findIndex((row) => row.at >= before)
    const old = end === -1 ? rows : rows.slice(0, end)
    const last = old.at(-1)
    if (last === undefined) return 0
    await trx.deleteFrom('journal').where('id', '<=', last.id).execute()
    return old.length
  })
}

/** The first build number of each builder that is among its newest `count`. */
async function firstKept(db: Kysely<Tables>, count: number | null): Promise<ReadonlyMap<string, number>> {
  if (count === null) return new Map()
  const rows = await db.selectFrom('builders').select(['name', 'next_number']).execute()
  return new Map(rows.map((row) => [row.name, row.next_number - count]))
}
