import type {
  BranchView,
  BuildId,
  BuildView,
  Change,
  ChangeId,
  PropertyMap,
  Result,
  SourceStamp,
  StepView,
} from 'boltbot/plugin-sdk'
import { type Kysely, sql } from 'kysely'
import { readChanges } from './changes.ts'
import type { StepLog } from './steps.ts'
import type { Row, Tables } from './tables.ts'

/** Builds as plugins and people see them, each with its steps and changes. */
export interface BuildFilter {
  readonly builder?: string
  readonly running?: boolean
  readonly slave?: string
  /** With this change in it. */
  readonly change?: ChangeId
  /** Older than this one. */
  readonly before?: BuildId
  readonly limit?: number
}

export async function readBuild(db: Kysely<Tables>, id: number): Promise<BuildView | undefined> {
  const row = await db.selectFrom('builds').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await complete(db, [row]))[0]
}

export async function readBuildByNumber(
  db: Kysely<Tables>,
  builder: string,
  number: number,
): Promise<BuildView | undefined> {
  const query = db.selectFrom('builds').selectAll().where('builder', '=', builder).where('number', '=', number)
  const row = await query.executeTakeFirst()
  return row && (await complete(db, [row]))[0]
}

/** Newest first. */
export async function readBuilds(db: Kysely<Tables>, filter: BuildFilter): Promise<BuildView[]> {
  let query = db
    .selectFrom('builds')
    .selectAll()
    .orderBy(filter.builder === undefined ? 'id' : 'number', 'desc') // in a builder both grow together
    .limit(filter.limit ?? 20)
  if (filter.builder !== undefined) query = query.where('builder', '=', filter.builder)
  const { slave, change, before } = filter
  if (slave !== undefined) query = query.where('slave', '=', slave)
  if (before !== undefined) query = query.where('id', '<', before)
  if (change !== undefined) {
    const withIt = db.selectFrom('build_changes').select('build_id').where('change_id', '=', change)
    query = query.where('id', 'in', withIt)
  }
  if (filter.running) query = query.where('state', '=', sql.lit('running'))
  if (filter.running === false) query = query.where('state', '=', sql.lit('finished'))
  return complete(db, await query.execute())
}

export interface StoredStepLogs {
  readonly epoch: number
  readonly running: boolean
  readonly logs: readonly StepLog[]
}

/** Where the logs of a step are. */
export async function readStepLogs(
  db: Kysely<Tables>,
  build: number,
  step: number,
): Promise<StoredStepLogs | undefined> {
  const row = await db
    .selectFrom('steps')
    .innerJoin('builds', 'builds.id', 'steps.build_id')
    .select(['builds.epoch', 'steps.logs', 'steps.finished_at'])
    .where('steps.build_id', '=', build)
    .where('steps.number', '=', step)
    .executeTakeFirst()
  return row && { epoch: row.epoch, running: row.finished_at === null, logs: JSON.parse(row.logs) as StepLog[] }
}

/** How a builder fares on its branches, the last built first. */
export async function readBranches(
  db: Kysely<Tables>,
  builder: string,
  { branch, limit = 100 }: { readonly branch?: string | null; readonly limit?: number },
): Promise<BranchView[]> {
  let query = db
    .selectFrom('branch_results')
    .selectAll()
    .where('builder', '=', builder)
    .orderBy('number', 'desc')
    .limit(limit)
  if (branch !== undefined) query = query.where('branch', '=', branch ?? '')
  return (await query.execute()).map((row) => ({
    branch: row.branch === '' ? null : row.branch,
    lastBuild: row.number,
    lastResult: row.result as Result, // written by finishBuild
    lastSuccess: row.last_success,
  }))
}

export interface StoredBuilder {
  readonly lastNumber: number | null
  readonly lastResult: Result | null
}

export async function readBuilders(db: Kysely<Tables>): Promise<ReadonlyMap<string, StoredBuilder>> {
  const rows = await db.selectFrom('builders').selectAll().execute()
  return new Map(
    rows.map((row) => [row.name, { lastNumber: row.last_number, lastResult: row.last_result as Result | null }]),
  )
}

async function complete(db: Kysely<Tables>, rows: readonly Row<'builds'>[]): Promise<BuildView[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const steps = await db.selectFrom('steps').selectAll().where('build_id', 'in', ids).orderBy('number').execute()
  const stamps = rows.map((row) => JSON.parse(row.source_stamp) as SourceStamp)
  const changes = await readChanges(db, [...new Set(stamps.flatMap((stamp) => stamp.changes))])
  const changeById = new Map(changes.map((change) => [change.id, change]))
  return rows.map((row, index) => {
    const mine: Change[] = stamps[index]!.changes.flatMap((id) => changeById.get(id) ?? [])
    return {
      id: row.id,
      builder: row.builder,
      number: row.number,
      requests: JSON.parse(row.requests) as number[],
      reason: row.reason,
      sourceStamp: stamps[index]!,
      changes: mine,
      blamelist: [...new Set(mine.map((change) => change.who))],
      slave: row.slave,
      epoch: row.epoch,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
      result: row.result as Result | null,
      text: JSON.parse(row.text) as string[],
      properties: JSON.parse(row.properties) as PropertyMap,
      steps: steps.filter((step) => step.build_id === row.id).map(toStep),
    }
  })
}

function toStep(row: Row<'steps'>): StepView {
  return {
    number: row.number,
    name: row.name,
    text: row.text,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    result: row.result as Result | null,
    logs: (JSON.parse(row.logs) as StepLog[]).map((log) => log.name),
  }
}
