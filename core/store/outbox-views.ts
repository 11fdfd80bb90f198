import type { Expression, SqlBool } from 'kysely'
import type { Due, Lane } from './outbox-rows.ts'
import type { Store } from './store.ts'

/** A message to one recipient, as people look at it. */
export interface OutboxView {
  readonly id: number
  /** The plugin it is from. */
  readonly source: string
  readonly key: string
  readonly recipient: string
  readonly subject: string
  readonly state: 'waiting' | 'sending' | 'sent' | 'dead' | 'dropped' | 'digested'
  readonly scheme: string
  readonly address: string | null
  readonly attempts: number
  /** How often it was in hand when the master died or the connection broke: the recipient may have it that often more. */
  readonly inDoubt: number
  /** Not to be tried before; 0: at once. */
  readonly notBefore: number
  /** Held back for a digest. */
  readonly held: boolean
  /** The message it was put into. */
  readonly digest: number | null
  readonly error: string | null
  readonly createdAt: number
  readonly finishedAt: number | null
}

export interface OutboxFilter {
  readonly states?: readonly OutboxView['state'][]
  readonly inDoubt?: boolean
  readonly key?: string
  readonly limit: number
}

/** Oldest first. */
export async function readOutbox(store: Store, filter: OutboxFilter): Promise<readonly OutboxView[]> {
  let query = store.db
    .selectFrom('outbox')
    .innerJoin('outbox_messages', 'outbox_messages.id', 'outbox.message_id')
    .selectAll('outbox')
    .select('outbox_messages.subject')
    .orderBy('outbox.id')
    .limit(filter.limit)
  if (filter.states !== undefined) query = query.where('outbox.state', 'in', [...filter.states])
  if (filter.inDoubt === true) query = query.where('outbox.in_doubt', '>', 0)
  if (filter.key !== undefined) query = query.where('outbox.key', '=', filter.key)
  const rows = await query.execute()
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    key: row.key,
    recipient: row.recipient,
    subject: row.subject,
    state: row.state as OutboxView['state'], // written by the transitions
    scheme: row.scheme,
    address: row.address,
    attempts: row.attempts,
    inDoubt: row.in_doubt,
    notBefore: row.not_before,
    held: row.held === 1,
    digest: row.digest_id,
    error: row.error,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }))
}

/** How the messages that wait are to be carried. */
export async function waitingSchemes({ db }: Store): Promise<readonly string[]> {
  const rows = await db.selectFrom('outbox').select('scheme').distinct().where('state', '=', 'waiting').execute()
  return rows.map(({ scheme }) => scheme)
}

/** The first message a carrier may try now, in the order of their threads; else when there will be one, `null` for not at all. */
export async function nextDue(store: Store, lane: Lane): Promise<Due | number | null> {
  const now = store.now()
  const waiting = (column: 'outbox.id' | 'outbox.not_before') =>
    store.db
      .selectFrom('outbox')
      .where('outbox.state', '=', 'waiting')
      .where('outbox.scheme', '=', lane.scheme)
      .where('outbox.source', 'only' in lane.sources ? '=' : 'not in', sourcesOf(lane))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('outbox as before')
              .select('before.id')
              .whereRef('before.thread', '=', 'outbox.thread')
              .whereRef('before.recipient', '=', 'outbox.recipient')
              .whereRef('before.id', '<', 'outbox.id')
              .where('before.state', 'in', ['waiting', 'sending']),
          ) as Expression<SqlBool>,
        ),
      )
      .orderBy(column)
      .limit(1)
  const due = await waiting('outbox.id')
    .select(['outbox.id', 'outbox.recipient'])
    .where('outbox.not_before', '<=', now)
    .executeTakeFirst()
  if (due !== undefined) return due
  const later = await waiting('outbox.not_before').select('outbox.not_before').executeTakeFirst()
  return later?.not_before ?? null
}

function sourcesOf({ sources }: Lane): string | readonly string[] {
  return 'only' in sources ? sources.only : ['', ...sources.but] // a list may not be empty
}
