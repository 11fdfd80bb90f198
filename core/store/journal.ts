import type { EventId, StoredHook } from 'boltbot/plugin-sdk'
import type { Transaction } from 'kysely'
import type { Store, StoredEvent } from './store.ts'
import type { Row, Tables } from './tables.ts'

export interface EventQuery {
  readonly after: EventId
  /** Only these; left out: all. */
  readonly names?: readonly StoredHook[]
  readonly limit: number
}

/** Rows looked at in one go: a reader of rare events that is far behind must not stop the event loop. */
const WINDOW = 2000

/**
 * Durable events after an id, oldest first, at most `limit`. Fewer than `limit`: there are no others up to the head the journal had
 * when it was asked.
 */
export async function readEvents(store: Store, { after, names, limit }: EventQuery): Promise<readonly StoredEvent[]> {
  const head = await store.durableEvents()
  const found: StoredEvent[] = []
  if (names?.length === 0) return found
  for (let from = await nextId(store, after); from <= head && found.length < limit; from += WINDOW) {
    if (found.length > 0 || from > after + 1) await nextTurn()
    let query = store.db
      .selectFrom('journal')
      .selectAll()
      .where('id', '>=', from)
      .where('id', '<', Math.min(from + WINDOW, head + 1))
      .orderBy('id')
      .limit(limit - found.length)
    if (names !== undefined) query = query.where('name', 'in', [...names])
    found.push(...(await query.execute()).map(toEvent))
  }
  return found
}

/** The newest durable event; 0 when there was none yet. No event with a smaller id becomes durable later. */
export function journalHead(store: Store): Promise<EventId> {
  return store.durableEvents()
}

/** How far a durable plugin has come; `undefined` when it never read: then it begins at the head. */
export async function readCursor(store: Store, plugin: string): Promise<EventId | undefined> {
  const row = await store.db.selectFrom('cursors').select('event_id').where('plugin', '=', plugin).executeTakeFirst()
  return row?.event_id
}

/** Stores that a durable plugin has dealt with everything up to `event`. Never goes back. */
export function advanceCursor(store: Store, plugin: string, event: EventId): Promise<void> {
  const move = async (trx: Transaction<Tables>) => {
    await trx
      .insertInto('cursors')
      .values({ plugin, event_id: event })
      .onConflict((conflict) =>
        conflict.column('plugin').doUpdateSet({ event_id: event }).where('cursors.event_id', '<', event),
      )
      .execute()
  }
  // Lost in a power cut, its events are told again, as they may be anyway.
  return store.transition('advanceCursor', move, { patient: true })
}

/** Forgets the cursors of plugins that the config names no more: the journal is kept for the slowest cursor. */
export function keepCursors(store: Store, plugins: readonly string[]): Promise<void> {
  return store.transition('keepCursors', async (trx) => {
    let gone = trx.deleteFrom('cursors')
    if (plugins.length > 0) gone = gone.where('plugin', 'not in', [...plugins])
    await gone.execute()
  })
}

/** The first id there is after one: retention may have taken many. */
async function nextId(store: Store, after: EventId): Promise<EventId> {
  const row = await store.db
    .selectFrom('journal')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row?.id ?? Number.POSITIVE_INFINITY
}

function toEvent(row: Row<'journal'>): StoredEvent {
  const payload = JSON.parse(row.payload) as object
  // Written by a transition, whose `tell` took only payloads that fit their name.
  return { name: row.name, event: { ...payload, eventId: row.id, at: row.at } } as unknown as StoredEvent
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The journal of a store, as the plugin host reads it. */
export const journalOf = (store: Store) => ({
  head: () => journalHead(store),
  read: (query: EventQuery) => readEvents(store, query),
  cursor: (plugin: string) => readCursor(store, plugin),
  advance: (plugin: string, eventId: number) => advanceCursor(store, plugin, eventId),
})
