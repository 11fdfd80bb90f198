import type { BuildId, RequestId, RequestView, Result } from 'boltbot/plugin-sdk'
import { type Kysely, sql } from 'kysely'
import { prepared } from './prepared.ts'
import { settleBuildsets } from './settle.ts'
import type { Store, Tell } from './store.ts'
import type { Row, Tables } from './tables.ts'

/** A waiting request as the distributor sees it. */
export interface WaitingRequest extends RequestView {
  readonly mergeKey: string | null
  readonly epoch: number
  readonly losses: number
  readonly lastSlave: string | null
  readonly notBefore: number
}

/** The first waiting requests of a builder that may start now, in queue order: priority, interrupted ones first, age by id, as a clock may be set back. */
export async function firstWaiting(
  db: Kysely<Tables>,
  builder: string,
  now: number,
  limit: number,
  without: readonly RequestId[],
): Promise<WaitingRequest[]> {
  return (await headOfQueue(db, { builder, now, limit, without })).rows.map(toWaiting)
}

interface Head {
  readonly builder: string
  readonly now: number
  readonly limit: number
  readonly without: readonly RequestId[]
}

const headOfQueue = prepared((db, { builder, now, limit, without }: Head) => {
  const query = db
    .selectFrom('requests')
    .selectAll()
    .where('builder', '=', builder)
    .where('state', '=', sql.lit('waiting'))
    .where('not_before', '<=', now)
    .orderBy('priority', 'desc')
    .orderBy('front', 'desc')
    .orderBy('id')
    .limit(limit)
  return without.length > 0 ? query.where('id', 'not in', without) : query
})

/** When the next request of a builder that waits after a lost slave may start; `null`: none waits so. */
export async function nextNotBefore(db: Kysely<Tables>, builder: string, now: number): Promise<number | null> {
  const row = await db
    .selectFrom('requests')
    .select((eb) => eb.fn.min('not_before').as('at'))
    .where('builder', '=', builder)
    .where('state', '=', sql.lit('waiting'))
    .where('not_before', '>', now)
    .executeTakeFirst()
  return row?.at ?? null
}

/** Waiting requests that may be built together with one of this key, in queue order. */
export async function sameKeyWaiting(
  db: Kysely<Tables>,
  builder: string,
  now: number,
  mergeKey: string,
): Promise<WaitingRequest[]> {
  return (await waitingLike(db, { builder, now, mergeKey })).rows.map(toWaiting)
}

const waitingLike = prepared((db, { builder, now, mergeKey }: { builder: string; now: number; mergeKey: string }) =>
  db
    .selectFrom('requests')
    .selectAll()
    .where('builder', '=', builder)
    .where('merge_key', '=', mergeKey)
    .where('state', '=', sql.lit('waiting'))
    .where('not_before', '<=', now)
    .orderBy('priority', 'desc')
    .orderBy('front', 'desc')
    .orderBy('id')
    .limit(1000),
)

/** How many requests wait, by builder. */
export async function countWaiting(db: Kysely<Tables>): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('requests')
    .select((eb) => ['builder', eb.fn.countAll<number>().as('count')])
    .where('state', '=', sql.lit('waiting'))
    .groupBy('builder')
    .execute()
  return new Map(rows.map((row) => [row.builder, Number(row.count)]))
}

/** Requests of a builder (or all) that are not finished, in queue order. */
export async function openRequests(
  db: Kysely<Tables>,
  builder: string | undefined,
  limit: number,
): Promise<RequestView[]> {
  let query = db
    .selectFrom('requests')
    .selectAll()
    .where('state', 'in', ['waiting', 'claimed'])
    .orderBy('priority', 'desc')
    .orderBy('front', 'desc')
    .orderBy('id')
    .limit(limit)
  if (builder !== undefined) query = query.where('builder', '=', builder)
  return withBuilds(db, await query.execute())
}

/** Requests of these buildsets that are not finished. */
export async function openRequestsOf(db: Kysely<Tables>, buildsets: readonly number[]): Promise<RequestView[]> {
  if (buildsets.length === 0) return []
  const query = db
    .selectFrom('requests')
    .selectAll()
    .where('buildset_id', 'in', [...buildsets])
    .where('state', 'in', ['waiting', 'claimed'])
    .orderBy('id')
  return (await query.execute()).map(toWaiting)
}

export async function readRequest(db: Kysely<Tables>, id: RequestId): Promise<WaitingRequest | undefined> {
  const row = await db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await withBuilds(db, [row]))[0]
}

/** What became of those that wait no more: their build, and whether it was theirs. */
async function withBuilds(db: Kysely<Tables>, rows: readonly Row<'requests'>[]): Promise<WaitingRequest[]> {
  const ids = rows.flatMap((row) => (row.state === 'waiting' || row.build_id === null ? [] : [row.build_id]))
  const builds =
    ids.length === 0
      ? []
      : await db
          .selectFrom('builds')
          .select(['id', 'number', 'requests'])
          .where('id', 'in', [...new Set(ids)])
          .execute()
  const byId = new Map(builds.map((build) => [build.id, build]))
  return rows.map((row) => {
    const build = row.state === 'waiting' || row.build_id === null ? undefined : byId.get(row.build_id)
    if (build === undefined) return toWaiting(row)
    const [first] = JSON.parse(build.requests) as number[]
    return { ...toWaiting(row), buildNumber: build.number, merged: first !== row.id }
  })
}

/** How many waiting requests of its builder come before this one; not those that wait after a lost slave. */
export async function countBefore(db: Kysely<Tables>, request: WaitingRequest, now: number): Promise<number> {
  const row = await db
    .selectFrom('requests')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('builder', '=', request.builder)
    .where('state', '=', sql.lit('waiting'))
    .where('not_before', '<=', now)
    .where((eb) => {
      const front = eb.selectFrom('requests as mine').select('mine.front').where('mine.id', '=', request.id)
      return eb.or([
        eb('priority', '>', request.priority),
        eb.and([eb('priority', '=', request.priority), eb('front', '>', front)]),
        eb.and([eb('priority', '=', request.priority), eb('front', '=', front), eb('id', '<', request.id)]),
      ])
    })
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Cancels a waiting request; false when it does not wait (any more). */
export function cancelRequest(store: Store, id: RequestId, who: string, reason: string): Promise<boolean> {
  return store.transition('cancelRequest', async (trx, tell) => {
    const row = await trx
      .updateTable('requests')
      .set({ state: 'finished', result: 'cancelled', finished_at: store.now() })
      .where('id', '=', id)
      .where('state', '=', 'waiting')
      .returning(['id', 'buildset_id', 'builder'])
      .executeTakeFirst()
    if (row === undefined) return false
    tell('requestCancelled', { request: row.id, buildset: row.buildset_id, builder: row.builder, who, reason })
    await settleBuildsets(trx, tell, store.now(), [row], 'cancelled', null)
    return true
  })
}

/** Cancels what waits for a builder, at most `limit`, the first of the queue first. Resolves with how many. */
export function cancelRequests(
  store: Store,
  builder: string,
  limit: number,
  who: string,
  reason: string,
): Promise<number> {
  return store.transition('cancelRequests', async (trx, tell) => {
    const first = await firstWaiting(trx, builder, Number.MAX_SAFE_INTEGER, limit, [])
    if (first.length === 0) return 0
    const rows = await trx
      .updateTable('requests')
      .set({ state: 'finished', result: 'cancelled', finished_at: store.now() })
      .where(
        'id',
        'in',
        first.map((request) => request.id),
      )
      .returning(['id', 'buildset_id', 'builder'])
      .execute()
    for (const row of rows)
      tell('requestCancelled', { request: row.id, buildset: row.buildset_id, builder, who, reason })
    await settleBuildsets(trx, tell, store.now(), rows, 'cancelled', null)
    return rows.length
  })
}

/** A request is in the queue, for the first time or again. */
export function tellQueued(
  tell: Tell,
  row: { readonly id: number; readonly buildset_id: number; readonly builder: string },
  cause: 'submitted' | 'retry',
  reason: string,
): void {
  tell('requestQueued', { request: row.id, buildset: row.buildset_id, builder: row.builder, cause, reason })
}

function toWaiting(row: Row<'requests'>): WaitingRequest {
  return {
    id: row.id,
    buildset: row.buildset_id,
    builder: row.builder,
    priority: row.priority,
    submittedAt: row.submitted_at,
    state: row.state as RequestView['state'],
    tries: row.epoch,
    result: row.result as Result | null,
    build: row.build_id as BuildId | null,
    buildNumber: null,
    merged: false,
    mergeKey: row.merge_key,
    epoch: row.epoch,
    losses: row.losses,
    lastSlave: row.last_slave,
    notBefore: row.not_before,
  }
}
