import type { PropertyMap, RequestId, Result, SourceStamp } from 'boltbot/plugin-sdk'
import type { Kysely } from 'kysely'
import { buildStale } from '../errors.ts'
import type { BuildClaim, StartedBuild } from './builds.ts'
import { isNewest, ownersOf } from './meta.ts'
import type { StepRecord } from './step-plans.ts'
import type { Store } from './store.ts'
import type { Row, Tables } from './tables.ts'

/** A build that a process before this one left running, with all that was stored of it. */
export interface LeftBuild {
  readonly started: StartedBuild
  readonly builder: string
  readonly slave: string
  readonly requests: readonly RequestId[]
  /** The most that a slave was lost with one of its requests. */
  readonly losses: number
  /** The longest of the tree-stable timers behind it, ms. */
  readonly treeStableMs: number | null
  readonly reason: string
  readonly sourceStamp: SourceStamp
  readonly configHash: string
  /** The slave program that keeps its commands; `null`: they died with the link. */
  readonly agent: string | null
  readonly stopping: { readonly who: string; readonly reason: string } | null
  /** Steps that were begun, by number. */
  readonly steps: ReadonlyMap<number, LeftStep>
  /** What it holds of locks; step -1: the build itself. */
  readonly holds: readonly { readonly step: number; readonly lock: string; readonly mode: 'counting' | 'exclusive' }[]
  /** `null`: the steps of its builder. */
  readonly plan: readonly StepRecord[] | null
}

export interface LeftStep {
  readonly name: string
  /** `null`: it had not ended. */
  readonly result: Result | null
  readonly properties: PropertyMap
}

/**
 * Makes the running builds of this master those of this process: whatever a process before may still write about them is refused from
 * here on. One that was held up in its start takes nothing from a newer process.
 */
export function takeOverBuilds(store: Store, owner: string, lease: number): Promise<LeftBuild[]> {
  return store.transition('takeOverBuilds', async (trx) => {
    if (!(await isNewest(trx, owner))) return []
    const rows = await trx
      .updateTable('builds')
      .set({ owner, lease_until: store.now() + lease })
      .where('state', '=', 'running')
      .where(ownersOf(owner))
      .returningAll()
      .execute()
    const left: LeftBuild[] = []
    for (const row of rows.sort((a, b) => a.id - b.id)) left.push(await readLeft(trx, row))
    return left
  })
}

async function readLeft(db: Kysely<Tables>, row: Row<'builds'>): Promise<LeftBuild> {
  const requests = JSON.parse(row.requests) as number[]
  const steps = await db.selectFrom('steps').selectAll().where('build_id', '=', row.id).orderBy('number').execute()
  const holds = await db.selectFrom('lock_holds').selectAll().where('build_id', '=', row.id).execute()
  const asked = await db
    .selectFrom('requests')
    .innerJoin('buildsets', 'buildsets.id', 'requests.buildset_id')
    .select(['losses', 'stable_ms'])
    .where('requests.id', 'in', requests)
    .execute()
  const timers = asked.flatMap((request) => request.stable_ms ?? [])
  return {
    started: {
      build: row.id,
      epoch: row.epoch,
      owner: row.owner,
      number: row.number,
      properties: JSON.parse(row.properties) as PropertyMap,
      startedAt: row.started_at,
    },
    builder: row.builder,
    slave: row.slave,
    requests,
    treeStableMs: timers.length === 0 ? null : Math.max(...timers),
    losses: Math.max(0, ...asked.map((request) => request.losses)),
    reason: row.reason,
    sourceStamp: JSON.parse(row.source_stamp) as SourceStamp,
    configHash: row.config_hash,
    agent: row.agent,
    stopping: row.stopping === null ? null : (JSON.parse(row.stopping) as LeftBuild['stopping']),
    steps: new Map(steps.map((step) => [step.number, toLeftStep(step)])),
    holds: holds.map(({ step, lock, mode }) => ({ step, lock, mode: mode as 'counting' | 'exclusive' })), // as written by startBuild and holdForStep
    plan: row.plan == null ? null : (JSON.parse(row.plan) as StepRecord[]),
  }
}

function toLeftStep({ name, result, finished_at, properties }: Row<'steps'>): LeftStep {
  return {
    name,
    result: finished_at === null ? null : (result as Result),
    properties: properties === null ? {} : (JSON.parse(properties) as PropertyMap),
  }
}

/** Keeps who stopped a build, so that it stays stopped over a restart. @throws CiError `BOLT_BUILDS_STALE`. */
export function noteStop(store: Store, claim: BuildClaim, who: string, reason: string): Promise<void> {
  return store.transition('noteStop', async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('builds')
      .set({ stopping: JSON.stringify({ who, reason }) })
      .where('id', '=', claim.build)
      .where('epoch', '=', claim.epoch)
      .where('owner', '=', claim.owner)
      .where('state', '=', 'running')
      .executeTakeFirstOrThrow()
    if (numUpdatedRows === 0n) throw buildStale(claim.build, claim.epoch)
  })
}

/** Content hashes of the configs that running builds began with. */
export async function usedConfigs(db: Kysely<Tables>): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('builds').select('config_hash').where('state', '=', 'running').distinct().execute()
  return new Set(rows.map((row) => row.config_hash))
}
