import type { BuildId, RequestId, RequestView, Result } from 'boltbot/plugin-sdk'
import { type Kysely, sql } from 'kysely'
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

/** The first waiting requests of a builder that may start now, in queue order: priority, interrupted ones first, age. */
export async function firstWaiting(
  db: Kysely<Tables>,
  builder: string,
  now: number,
  limit: number,
  without: readonly RequestId[],
): Promise<WaitingRequest[]> {
  let query = db
    .selectFrom('requests')
    .selectAll()
    .where('builder', '=', builder)
    .where('state', '=', sql.lit('waiting'))
    .where('not_before', '<=', now)
    .orderBy('priority', 'desc')
    .orderBy('front', 'desc')
    .orderBy('submitted_at')
    .orderBy('id')
    .limit(limit)
  if (without.length > 0) query = query.where('id', 'not in', [...without])
  return (await query.execute()).map(toWaiting)
}

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
  const rows = await db
    .selectFrom('requests')
    .selectAll()
    .where('builder', '=', builder)
    .where('merge_key', '=', mergeKey)
    .where('state', '=', sql.lit('waiting'))
    .where('not_before', '<=', now)
    .orderBy('priority', 'desc')
    .orderBy('front', 'desc')
    .orderBy('submitted_at')
    .orderBy('id')
    .limit(1000)
    .execute()
  return rows.map(toWaiting)
}

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
    .orderBy('submitted_at')
    .orderBy('id')
    .limit(limit)
  if (builder !== undefined) query = query.where('builder', '=', builder)
  return (await query.execute()).map(toWaiting)
}

export async function readRequest(db: Kysely<Tables>, id: RequestId): Promise<WaitingRequest | undefined> {
  const row = await db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toWaiting(row)
}

/** How many waiting requests of its builder come before this one. */
export async function countBefore(db: Kysely<Tables>, request: WaitingRequest): Promise<number> {
  const row = await db
    .selectFrom('requests')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('builder', '=', request.builder)
    .where('state', '=', sql.lit('waiting'))
    .where((eb) => {
      const front = eb.selectFrom('requests as mine').select('mine.front').where('mine.id', '=', request.id)
      return eb.or([
        eb('priority', '>', request.priority),
        eb.and([eb('priority', '=', request.priority), eb('front', '>', front)]),
        eb.and([
          eb('priority', '=', request.priority),
          eb('front', '=', front),
          eb.or([
            eb('submitted_at', '<', request.submittedAt),
            eb.and([eb('submitted_at', '=', request.submittedAt), eb('id', '<', request.id)]),
          ]),
        ]),
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

/** A request is in the queue, for the first time or again. */
export function tellQueued(
  tell: Tell,
  row: { readonly id: number; readonly buildset_id: number; readonly builder: string },
  cause: 'submitted' | 'retry',
  reason: string,
): void {
  tell('requestQueued', { request: row.id, buildset: row.buildset_id, builder: row.builder, cause, reason })
}

export function toWaiting(row: Row<'requests'>): WaitingRequest {
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
    mergeKey: row.merge_key,
    epoch: row.epoch,
    losses: row.losses,
    lastSlave: row.last_slave,
    notBefore: row.not_before,
  }
}
