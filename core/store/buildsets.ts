import type { BuildsetId, BuildsetView, Json, Query, RequestId, Result, SourceStamp } from 'boltbot/plugin-sdk'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { inPieces } from './pieces.ts'
import { prepared } from './prepared.ts'
import { tellQueued } from './requests.ts'
import type { Store, Tell } from './store.ts'
import type { Tables } from './tables.ts'

/** A buildset with everything decided: what is stored. */
export interface NewBuildset {
  readonly builders: readonly { readonly name: string; readonly mergeKey: string | null }[]
  readonly sourceStamp: SourceStamp
  readonly reason: string
  readonly properties: Readonly<Record<string, Json>>
  readonly priority: number
  readonly scheduler: string | null
  readonly owner: string | null
  /** See `BuildsetInput`. */
  readonly key: string | null
  /** The tree-stable timer of its scheduler, ms. */
  readonly stableMs: number | null
  /** See `BuildsetInput`. */
  readonly externalId: string | null
}

export interface CreatedBuildset {
  readonly buildset: BuildsetId
  readonly requests: readonly RequestId[]
}

/** Stores a buildset and a request per builder. */
export function createBuildset(store: Store, input: NewBuildset): Promise<CreatedBuildset> {
  return store.transition('createBuildset', (trx, tell) => insertBuildset(trx, tell, store.now(), input))
}

/** The same inside a transition of another table: a scheduler's decision and its buildsets are one. */
export async function insertBuildset(
  trx: Transaction<Tables>,
  tell: Tell,
  now: number,
  input: NewBuildset,
): Promise<CreatedBuildset> {
  const known = input.key === null ? undefined : await findByKey(trx, input.key)
  if (known !== undefined) return known
  const { id } = await trx
    .insertInto('buildsets')
    .values({
      reason: input.reason,
      scheduler: input.scheduler,
      owner: input.owner,
      source_stamp: JSON.stringify(input.sourceStamp),
      properties: JSON.stringify(input.properties),
      submitted_at: now,
      pending: input.builders.length,
      doomed: 0,
      dedupe_key: input.key,
      stable_ms: input.stableMs,
      external_id: input.externalId,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  const rows: { id: number; builder: string }[] = []
  for (const builders of inPieces(input.builders)) {
    const requests = builders.map((builder) => ({
      buildset_id: id,
      builder: builder.name,
      priority: input.priority,
      front: 0,
      submitted_at: now,
      not_before: 0,
      merge_key: builder.mergeKey,
      state: 'waiting',
      epoch: 0,
      losses: 0,
    }))
    const stored = trx.insertInto('requests').values(requests).returning(['id', 'builder'])
    rows.push(...(await stored.execute()))
  }
  tell('buildsetCreated', {
    buildset: id,
    builders: input.builders.map((builder) => builder.name),
    scheduler: input.scheduler,
    owner: input.owner,
    reason: input.reason,
    changes: input.sourceStamp.changes,
  })
  for (const row of rows) tellQueued(tell, { ...row, buildset_id: id }, 'submitted', input.reason)
  return { buildset: id, requests: rows.map((row) => row.id) }
}

/** The buildset that was made under a key. */
export async function findByKey(db: Kysely<Tables>, key: string): Promise<CreatedBuildset | undefined> {
  const row = await db.selectFrom('buildsets').select('id').where('dedupe_key', '=', key).executeTakeFirst()
  if (row === undefined) return undefined
  const requests = await db
    .selectFrom('requests')
    .select('id')
    .where('buildset_id', '=', row.id)
    .orderBy('id')
    .execute()
  return { buildset: row.id, requests: requests.map((request) => request.id) }
}

/** What a build needs of the buildsets of its requests, in the order of the ids. */
export async function readBuildsets(db: Kysely<Tables>, ids: readonly BuildsetId[]): Promise<StoredBuildset[]> {
  const { rows } = await withIds(db, { ids })
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => {
    const row = byId.get(id)
    if (row === undefined) return []
    const { reason, scheduler, owner, stable_ms: stableMs } = row
    return {
      reason,
      scheduler,
      owner,
      stableMs,
      sourceStamp: JSON.parse(row.source_stamp) as SourceStamp,
      properties: JSON.parse(row.properties) as Record<string, Json>,
    }
  })
}

const withIds = prepared((db, { ids }: { ids: readonly BuildsetId[] }) =>
  db.selectFrom('buildsets').selectAll().where('id', 'in', ids),
)

/** How a buildset ended; `null` while it has not, `undefined` when there is none. */
export async function readBuildsetResult(db: Kysely<Tables>, id: BuildsetId): Promise<Result | null | undefined> {
  const query = db.selectFrom('buildsets').select(['result', 'finished_at']).where('id', '=', id)
  const row = await query.executeTakeFirst()
  if (row === undefined) return undefined
  return row.finished_at === null ? null : (row.result as Result) // written by settleBuildsets
}

/** As plugins and people see it. */
export async function readBuildset(db: Kysely<Tables>, id: BuildsetId): Promise<BuildsetView | undefined> {
  return (await readViews(db, [id]))[0]
}

/** The newest first. */
export async function recentBuildsets(
  db: Kysely<Tables>,
  { running, limit = 20 }: NonNullable<Parameters<Query['buildsets']>[0]>,
): Promise<readonly BuildsetView[]> {
  const rows = await db
    .selectFrom('buildsets')
    .select('id')
    .$if(running === true, (query) => query.where('finished_at', 'is', null))
    .$if(running === false, (query) => query.where('finished_at', 'is not', null))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return readViews(
    db,
    rows.map(({ id }) => id),
  )
}

/** In the order of the ids. */
async function readViews(db: Kysely<Tables>, ids: readonly BuildsetId[]): Promise<readonly BuildsetView[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('buildsets')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
  const requests = await db
    .selectFrom('requests')
    .select(['id', 'buildset_id'])
    .where('buildset_id', 'in', [...ids])
    .orderBy('id')
    .execute()
  const ofSets = Map.groupBy(requests, (request) => request.buildset_id)
  const views = new Map(rows.map((row) => [row.id, viewOf(row, ofSets.get(row.id) ?? [])]))
  return ids.flatMap((id) => views.get(id) ?? [])
}

function viewOf(row: Selectable<Tables['buildsets']>, requests: readonly { readonly id: RequestId }[]): BuildsetView {
  return {
    id: row.id,
    reason: row.reason,
    scheduler: row.scheduler,
    owner: row.owner,
    sourceStamp: JSON.parse(row.source_stamp) as SourceStamp,
    treeStableMs: row.stable_ms,
    externalId: row.external_id,
    submittedAt: row.submitted_at,
    finishedAt: row.finished_at,
    result: row.finished_at === null ? null : (row.result as Result),
    doomed: row.doomed === 1,
    requests: requests.map((request) => request.id),
  }
}

export interface StoredBuildset {
  readonly reason: string
  readonly stableMs: number | null
  readonly scheduler: string | null
  readonly owner: string | null
  readonly sourceStamp: SourceStamp
  readonly properties: Readonly<Record<string, Json>>
}
