import { type Change, type ChangeId, type ChangeInput, type Json, repositoryKey } from 'boltbot/plugin-sdk'
import type { CompiledQuery, Kysely, Transaction } from 'kysely'
import { inPieces } from './pieces.ts'
import type { Store, Tell } from './store.ts'
import type { Row, Tables } from './tables.ts'

/** Stores a change, once per key: a second report of the same change gives the first one back and stores nothing. */
export function acceptChange(
  store: Store,
  input: ChangeInput,
  source: string,
): Promise<{ readonly change: Change; readonly duplicate: boolean }> {
  const accept = async (trx: Transaction<Tables>, tell: Tell) => {
    const accepted = store.now()
    const row = {
      dedupe_key: dedupeKey(input),
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
    }
    const { rows } = await trx.executeQuery(insertion(store, trx, row))
    const id = rows[0]?.id
    if (id === undefined) {
      const all = trx.selectFrom('changes').selectAll()
      const known = await all.where('dedupe_key', '=', row.dedupe_key).executeTakeFirstOrThrow()
      return { change: toChange(known), duplicate: true }
    }
    const change = toChange({ ...row, id })
    tell('changeAccepted', { change })
    return { change, duplicate: false }
  }
  return store.transition('acceptChange', accept, { sparing: true })
}

type NewRow = Omit<Row<'changes'>, 'id'>

const insertions = new WeakMap<Store, CompiledQuery<Pick<Row<'changes'>, 'id'>>>()

/** To build this query costs more than to run it, and thousands may come at once: built once, only its values differ. */
function insertion(store: Store, trx: Kysely<Tables>, row: NewRow): CompiledQuery<Pick<Row<'changes'>, 'id'>> {
  const known = insertions.get(store)
  if (known !== undefined) return { ...known, parameters: Object.values(row) } // in the order in which it was built
  const built = trx
    .insertInto('changes')
    .values(row)
    .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
    .returning('id')
    .compile()
  insertions.set(store, built)
  return built
}

/** Changes by id, in the order of the ids given; unknown ones are left out. */
export async function readChanges(db: Kysely<Tables>, ids: readonly number[]): Promise<Change[]> {
  const byId = new Map<ChangeId, Change>()
  for (const piece of inPieces(ids)) {
    const rows = await db
      .selectFrom('changes')
      .selectAll()
      .where('id', 'in', [...piece])
      .execute()
    for (const row of rows) byId.set(row.id, toChange(row))
  }
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
