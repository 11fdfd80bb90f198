import { type Change, type ChangeId, type ChangeInput, type Json, repositoryKey } from 'boltbot/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Store } from './store.ts'
import type { Row, Tables } from './tables.ts'

/** Stores a change, once per key: a second report of the same change gives the first one back and stores nothing. */
export function acceptChange(
  store: Store,
  input: ChangeInput,
  source: string,
): Promise<{ readonly change: Change; readonly duplicate: boolean }> {
  return store.transition('acceptChange', async (trx, tell) => {
    const key = dedupeKey(input)
    const accepted = store.now()
    const row = await trx
      .insertInto('changes')
      .values({
        dedupe_key: key,
        who: input.who,
        files: JSON.stringify(input.files),
        comments: input.comments,
        branch: input.branch ?? null,
        revision: input.revision ?? null,
        repository: input.repository ?? '',
        project: input.project ?? '',
        codebase: input.codebase ?? '',
        category: input.category ?? null,
        revlink: input.revlink ?? null,
        links: JSON.stringify(input.links ?? []),
        properties: JSON.stringify(input.properties ?? {}),
        committed_at: input.when ?? accepted,
        accepted_at: accepted,
        source,
      })
      .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) {
      const known = await trx.selectFrom('changes').selectAll().where('dedupe_key', '=', key).executeTakeFirstOrThrow()
      return { change: toChange(known), duplicate: true }
    }
    const change = toChange(row)
    tell('changeAccepted', { change })
    return { change, duplicate: false }
  })
}

/** Changes by id, in the order of the ids given; unknown ones are left out. */
export async function readChanges(db: Kysely<Tables>, ids: readonly number[]): Promise<Change[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('changes')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
  const byId = new Map(rows.map((row) => [row.id, toChange(row)]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** The newest changes, newest first. */
export async function recentChanges(db: Kysely<Tables>, limit: number, before?: ChangeId): Promise<Change[]> {
  let query = db.selectFrom('changes').selectAll().orderBy('id', 'desc').limit(limit)
  if (before !== undefined) query = query.where('id', '<', before)
  return (await query.execute()).map(toChange)
}

/** Two sources may write the address of one repository in two ways: what a webhook tells, the poller sees as well. */
function dedupeKey(input: ChangeInput): string | null {
  if (input.key !== undefined) return `key:${input.key}`
  if (input.revision === null || input.revision === undefined) return null
  return `rev:${JSON.stringify([repositoryKey(input.repository ?? ''), input.codebase ?? '', input.branch ?? null, input.revision])}`
}

function toChange(row: Row<'changes'>): Change {
  return {
    id: row.id,
    who: row.who,
    files: JSON.parse(row.files) as string[],
    comments: row.comments,
    branch: row.branch,
    revision: row.revision,
    repository: row.repository,
    project: row.project,
    codebase: row.codebase,
    category: row.category,
    revlink: row.revlink,
    links: JSON.parse(row.links) as string[],
    properties: JSON.parse(row.properties) as Record<string, Json>,
    when: row.committed_at,
    source: row.source,
  }
}
