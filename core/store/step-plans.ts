import type { Json, Result } from 'boltbot/plugin-sdk'
import type { Kysely } from 'kysely'
import { buildStale } from '../errors.ts'
import type { BuildClaim } from './builds.ts'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/** A step of a build whose steps are not just those of its builder, as data: enough to find it again after a restart. */
export interface StepRecord {
  readonly name: string
  /** Name of its definition. */
  readonly kind: string
  /** As given, before the schema; `null`: they hold functions or the like, and cannot be had again from here. */
  readonly options: Json
  readonly flags: Json
  /** Which step added it; `null`: it is of the factory. */
  readonly addedBy: string | null
}

/** Stores the steps of a build, all of them, in order. @throws CiError `BOLT_BUILDS_STALE`. */
export function storeStepPlan(store: Store, claim: BuildClaim, steps: readonly StepRecord[]): Promise<void> {
  return store.transition('storeStepPlan', async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('builds')
      .set({ plan: JSON.stringify(steps) })
      .where('id', '=', claim.build)
      .where('epoch', '=', claim.epoch)
      .where('owner', '=', claim.owner)
      .where('state', '=', 'running')
      .executeTakeFirstOrThrow()
    if (numUpdatedRows === 0n) throw buildStale(claim.build, claim.epoch)
  })
}

/** What was stored; `null`: the build has the steps of its builder. */
export async function readStepPlan(db: Kysely<Tables>, build: number): Promise<readonly StepRecord[] | null> {
  const row = await db.selectFrom('builds').select('plan').where('id', '=', build).executeTakeFirst()
  return row?.plan == null ? null : (JSON.parse(row.plan) as StepRecord[])
}

/** The last result of a builder on a branch, `retry` and `cancelled` left out; `null`: none yet. */
export async function readLastResult(
  db: Kysely<Tables>,
  builder: string,
  branch: string | null,
): Promise<Result | null> {
  const row = await db
    .selectFrom('branch_results')
    .select('result')
    .where('builder', '=', builder)
    .where('branch', '=', branch ?? '')
    .executeTakeFirst()
  return (row?.result ?? null) as Result | null // written by finishBuild
}
