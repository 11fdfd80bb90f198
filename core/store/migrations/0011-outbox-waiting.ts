import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/** The next message of a carrier, without looking at those that were delivered. */
export const outboxWaiting: Migration = {
  number: 11,
  async up(db) {
    await db.schema
      .createIndex('outbox_waiting')
      .on('outbox')
      .columns(['scheme', 'id'])
      .where(sql<boolean>`state = 'waiting'`)
      .execute()
  },
}
