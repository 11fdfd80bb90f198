import { isGood, type Result, type SourceStamp, worst } from 'boltbot/plugin-sdk'
import type { Transaction } from 'kysely'
import { prepared } from './prepared.ts'
import type { Tell } from './store.ts'
import type { Tables } from './tables.ts'

/**
 * Requests of these buildsets ended with `result`: counts them off, tells the first failure of a buildset and its end. The
 * caller has set the requests themselves.
 */
export async function settleBuildsets(
  trx: Transaction<Tables>,
  tell: Tell,
  now: number,
  requests: readonly { readonly buildset_id: number; readonly builder: string }[],
  result: Result,
  build: number | null,
): Promise<void> {
  const ended = new Map<number, number>()
  for (const request of requests) ended.set(request.buildset_id, (ended.get(request.buildset_id) ?? 0) + 1)
  for (const [id, count] of ended) {
    const row = (await standing(trx, { id })).rows[0]!
    const pending = row.pending - count
    const combined = row.result === null ? result : worst(row.result as Result, result)
    const doomed = !isGood(result) && row.doomed === 0
    const finished = pending === 0 ? now : null
    await countOff(trx, { id, pending, result: combined, doomed: doomed ? 1 : row.doomed, finished })
    if (doomed) tell('buildsetDoomed', { buildset: id, builder: requests[0]!.builder, build })
    if (pending === 0) {
      const sourceStamp = JSON.parse(row.source_stamp) as SourceStamp
      tell('buildsetFinished', { buildset: id, scheduler: row.scheduler, result: combined, sourceStamp })
    }
  }
}

const standing = prepared((db, { id }: { id: number }) =>
  db.selectFrom('buildsets').select(['pending', 'result', 'doomed', 'scheduler', 'source_stamp']).where('id', '=', id),
)

const countOff = prepared(
  (db, given: { id: number; pending: number; result: string; doomed: number; finished: number | null }) =>
    db
      .updateTable('buildsets')
      .set({ pending: given.pending, result: given.result, doomed: given.doomed, finished_at: given.finished })
      .where('id', '=', given.id),
)
