import type { Eta, PropertyMap, RequestId, Result, SourceStamp } from 'boltbot/plugin-sdk'
import { sql, type Transaction } from 'kysely'
import { buildStale } from '../errors.ts'
import { noteChanges } from './build-changes.ts'
import { tellQueued } from './requests.ts'
import { settleBuildsets } from './settle.ts'
import type { StepTimes } from './step-times.ts'
import type { Store, Tell } from './store.ts'
import type { Tables } from './tables.ts'
import { triesOf } from './tries.ts'

/** Who may write about a build: only the holder of its current claim. Every write of a build carries it. */
export interface BuildClaim {
  readonly build: number
  readonly epoch: number
  readonly owner: string
}

export interface NewBuild {
  readonly owner: string
  readonly builder: string
  readonly slave: string
  /** In queue order; all of them are claimed or none. */
  readonly requests: readonly RequestId[]
  readonly reason: string
  readonly sourceStamp: SourceStamp
  readonly blamelist: readonly string[]
  readonly configHash: string
  /** The slave program that keeps its commands over broken links; `null`: they die with the link. */
  readonly agent: string | null
  /** When it will have ended, if that is known. */
  readonly eta?: (now: number) => Eta | undefined
  /** Lease from now on, ms. */
  readonly lease: number
  readonly locks: readonly { readonly lock: string; readonly mode: string }[]
  /** Properties of the build once its number is known. */
  readonly properties: (number: number) => PropertyMap
}

export interface StartedBuild extends BuildClaim {
  readonly number: number
  readonly properties: PropertyMap
  readonly startedAt: number
}

/**
 * Claims requests for a slave and gives the build its number. `null` when one of the requests does not wait any more (it was
 * cancelled, or another master was faster): nothing has changed then.
 */
export function startBuild(store: Store, input: NewBuild): Promise<StartedBuild | null> {
  return store
    .transition('startBuild', async (trx, tell) => {
      const now = store.now()
      const waiting = await trx
        .selectFrom('requests')
        .select('epoch')
        .where('id', 'in', [...input.requests])
        .where('state', '=', sql.lit('waiting'))
        .execute()
      if (waiting.length < input.requests.length) throw new ClaimLost()
      const epoch = Math.max(...waiting.map((row) => row.epoch)) + 1
      const { next_number: next } = await trx
        .insertInto('builders')
        .values({ name: input.builder, next_number: 1 })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ next_number: sql`builders.next_number + 1` }))
        .returning('next_number')
        .executeTakeFirstOrThrow()
      const number = next - 1
      const properties = input.properties(number)
      const { id: build } = await trx
        .insertInto('builds')
        .values({
          builder: input.builder,
          number,
          requests: JSON.stringify(input.requests),
          slave: input.slave,
          owner: input.owner,
          epoch,
          lease_until: now + input.lease,
          state: 'running',
          reason: input.reason,
          source_stamp: JSON.stringify(input.sourceStamp),
          branch: input.sourceStamp.branch ?? '',
          properties: JSON.stringify(properties),
          config_hash: input.configHash,
          agent: input.agent,
          started_at: now,
          text: '[]',
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      await trx
        .updateTable('requests')
        .set({ state: 'claimed', owner: input.owner, epoch, last_slave: input.slave, build_id: build })
        .where('id', 'in', [...input.requests])
        .execute()
      const holds = input.locks.map(({ lock, mode }) => ({ build_id: build, step: -1, lock, slave: input.slave, mode }))
      if (holds.length > 0) await trx.insertInto('lock_holds').values(holds).execute()
      const { builder, slave, requests, reason, sourceStamp, blamelist } = input
      await noteChanges(trx, build, sourceStamp.changes)
      const eta = input.eta?.(now)
      tell('buildStarted', {
        build,
        builder,
        number,
        slave,
        requests,
        changes: sourceStamp.changes,
        blamelist,
        reason,
        branch: sourceStamp.branch,
        revision: sourceStamp.revision,
        ...(eta && { eta }),
      })
      return { build, epoch, owner: input.owner, number, properties, startedAt: now }
    })
    .catch((error: unknown) => {
      if (error instanceof ClaimLost) return null
      throw error
    })
}

/** Ends the transition without a trace; never leaves this file. */
class ClaimLost extends Error {}

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
      const { numUpdatedRows } = await trx
        .updateTable('builds')
        .set({
          state: 'finished',
          finished_at: now,
          result,
          text: JSON.stringify(text),
          properties: JSON.stringify(ended.properties),
        })
        .where('id', '=', claim.build)
        .where('epoch', '=', claim.epoch)
        .where('owner', '=', claim.owner)
        .where('state', '=', 'running')
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) throw buildStale(claim.build, claim.epoch)
      await trx.deleteFrom('lock_holds').where('build_id', '=', claim.build).execute()
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
  const before = await trx
    .selectFrom('branch_results')
    .select(['result', 'last_success'])
    .where('builder', '=', builder)
    .where('branch', '=', branch)
    .executeTakeFirst()
  if (result !== 'retry' && result !== 'cancelled') {
    const success = result === 'success' || result === 'warnings' ? number : (before?.last_success ?? null)
    const row = { number, result, last_success: success }
    await trx
      .insertInto('branch_results')
      .values({ builder, branch, ...row })
      .onConflict((conflict) => conflict.columns(['builder', 'branch']).doUpdateSet(row))
      .execute()
  }
  await trx
    .updateTable('builders')
    .set({ last_number: number, last_result: result, ...(stepTimes && { step_times: JSON.stringify(stepTimes) }) })
    .where('name', '=', builder)
    .execute()
  return (before?.result as Result | undefined) ?? null
}

async function endRequests(trx: Transaction<Tables>, tell: Tell, now: number, ended: EndedBuild): Promise<void> {
  const rows = await trx
    .updateTable('requests')
    .set({ state: 'finished', result: ended.result, finished_at: now })
    .where('id', 'in', [...ended.requests])
    .returning(['buildset_id', 'builder'])
    .execute()
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

/** Keeps the claims of this master's running builds alive. */
export function renewLeases(store: Store, owner: string, lease: number): Promise<void> {
  return store.transition('renewLeases', async (trx) => {
    await trx
      .updateTable('builds')
      .set({ lease_until: store.now() + lease })
      .where('owner', '=', owner)
      .where('state', '=', 'running')
      .execute()
  })
}
