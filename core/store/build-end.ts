import type { PropertyMap, RequestId, Result, SourceStamp } from 'boltbot/plugin-sdk'
import { sql, type Transaction } from 'kysely'
import { buildStale } from '../errors.ts'
import type { BuildClaim } from './builds.ts'
import { prepared } from './prepared.ts'
import { tellQueued } from './requests.ts'
import { settleBuildsets } from './settle.ts'
import type { StepTimes } from './step-times.ts'
import type { Store, Tell } from './store.ts'
import type { Tables } from './tables.ts'
import { triesOf } from './tries.ts'

export interface EndedBuild {
  readonly claim: BuildClaim
  readonly builder: string
  readonly number: number
  readonly slave: string
  readonly requests: readonly RequestId[]
  readonly reason: string
  readonly sourceStamp: SourceStamp
  readonly blamelist: readonly string[]
  readonly startedAt: number
  readonly result: Result
  readonly text: readonly string[]
  /** Its requests are given up: all builds that were tried for them stand behind the text. */
  readonly tellTries?: boolean
  readonly properties: PropertyMap
  /** How long the steps of its builder take, when this build told more of it. */
  readonly stepTimes?: StepTimes | null
  /** Set when the requests go back to the queue. */
  readonly requeue: { readonly notBefore: number; readonly countsAsLoss: boolean } | null
}

/**
 * Ends a build: result, requests, buildsets, last results of builder and branch. `committed` is called when another build may have
 * its place. @throws CiError `BOLT_BUILDS_STALE`.
 */
export function finishBuild(store: Store, ended: EndedBuild, committed?: () => void): Promise<void> {
  return store.transition(
    'finishBuild',
    async (trx, tell) => {
      const now = store.now()
      const { claim, result } = ended
      const text = ended.tellTries ? [...ended.text, await triesOf(trx, ended)] : ended.text
      const { numAffectedRows } = await updateEnded(trx, {
        ...claim,
        now,
        result,
        text: JSON.stringify(text),
        properties: JSON.stringify(ended.properties),
      })
      if (numAffectedRows === 0n) throw buildStale(claim.build, claim.epoch)
      await freeLocks(trx, { build: claim.build })
      const previousResult = await keepLastResults(trx, ended)
      tell('buildFinished', {
        build: claim.build,
        builder: ended.builder,
        number: ended.number,
        slave: ended.slave,
        requests: ended.requests,
        changes: ended.sourceStamp.changes,
        blamelist: ended.blamelist,
        reason: ended.reason,
        branch: ended.sourceStamp.branch,
        revision: ended.sourceStamp.revision,
        result,
        previousResult,
        text,
        startedAt: ended.startedAt,
      })
      if (ended.requeue === null) await endRequests(trx, tell, now, ended)
      else await requeue(trx, tell, ended, ended.requeue)
    },
    { committed, patient: true },
  )
}

/** Keeps the last result per builder and branch; gives the one before. A retried or cancelled build says nothing about the code. */
async function keepLastResults(trx: Transaction<Tables>, ended: EndedBuild): Promise<Result | null> {
  const { builder, number, result, stepTimes } = ended
  const branch = ended.sourceStamp.branch ?? ''
  const before = (await lastResultOf(trx, { builder, branch })).rows[0]
  if (result !== 'retry' && result !== 'cancelled') {
    const success = result === 'success' || result === 'warnings' ? number : (before?.last_success ?? null)
    await keepBranchResult(trx, { builder, branch, number, result, success })
  }
  await keepResult(trx, { builder, number, result, times: stepTimes ? JSON.stringify(stepTimes) : null })
  return (before?.result as Result | undefined) ?? null
}

async function endRequests(trx: Transaction<Tables>, tell: Tell, now: number, ended: EndedBuild): Promise<void> {
  const { rows } = await finishRequests(trx, { ids: ended.requests, result: ended.result, now })
  await settleBuildsets(trx, tell, now, rows, ended.result, ended.claim.build)
}

async function requeue(
  trx: Transaction<Tables>,
  tell: Tell,
  ended: EndedBuild,
  how: NonNullable<EndedBuild['requeue']>,
): Promise<void> {
  const rows = await trx
    .updateTable('requests')
    .set({
      state: 'waiting',
      front: 1,
      owner: null,
      not_before: how.notBefore,
      losses: how.countsAsLoss ? sql`losses + 1` : sql`losses`,
    })
    .where('id', 'in', [...ended.requests])
    .returning(['id', 'buildset_id', 'builder'])
    .execute()
  for (const row of rows.sort((a, b) => a.id - b.id)) tellQueued(tell, row, 'retry', ended.reason)
}

const updateEnded = prepared(
  (db, given: BuildClaim & { now: number; result: string; text: string; properties: string }) =>
    db
      .updateTable('builds')
      .set({
        state: 'finished',
        finished_at: given.now,
        result: given.result,
        text: given.text,
        properties: given.properties,
      })
      .where('id', '=', given.build)
      .where('epoch', '=', given.epoch)
      .where('owner', '=', given.owner)
      .where('state', '=', 'running'),
)

const freeLocks = prepared((db, { build }: { build: number }) =>
  db.deleteFrom('lock_holds').where('build_id', '=', build),
)

const lastResultOf = prepared((db, { builder, branch }: { builder: string; branch: string }) =>
  db
    .selectFrom('branch_results')
    .select(['result', 'last_success'])
    .where('builder', '=', builder)
    .where('branch', '=', branch),
)

const keepBranchResult = prepared(
  (db, given: { builder: string; branch: string; number: number; result: string; success: number | null }) => {
    const row = { number: given.number, result: given.result, last_success: given.success }
    return db
      .insertInto('branch_results')
      .values({ builder: given.builder, branch: given.branch, ...row })
      .onConflict((conflict) => conflict.columns(['builder', 'branch']).doUpdateSet(row))
  },
)

const keepResult = prepared((db, given: { builder: string; number: number; result: string; times: string | null }) =>
  db
    .updateTable('builders')
    .set({
      last_number: given.number,
      last_result: given.result,
      step_times: sql`coalesce(${given.times}, step_times)`,
    })
    .where('name', '=', given.builder),
)

const finishRequests = prepared((db, { ids, result, now }: { ids: readonly number[]; result: string; now: number }) =>
  db
    .updateTable('requests')
    .set({ state: 'finished', result, finished_at: now })
    .where('id', 'in', ids)
    .returning(['buildset_id', 'builder']),
)
