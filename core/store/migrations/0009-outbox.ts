import { sql } from 'kysely'
import { idColumn, idType, type Migration } from './migration.ts'

/** Messages to people that are to be handed over, and were. */
export const outbox: Migration = {
  number: 9,
  async up(db, flavor) {
    const { schema } = db
    await schema
      .createTable('outbox_messages')
      .addColumn('id', idType(flavor), idColumn(flavor))
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('key', 'text', (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      .addColumn('thread', 'text')
      .addColumn('urgency', 'text', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .execute()
    await schema
      .createTable('outbox')
      .addColumn('id', idType(flavor), idColumn(flavor))
      .addColumn('message_id', 'bigint', (c) => c.notNull())
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('key', 'text', (c) => c.notNull())
      .addColumn('recipient', 'text', (c) => c.notNull())
      .addColumn('scheme', 'text', (c) => c.notNull())
      .addColumn('via', 'text', (c) => c.notNull())
      .addColumn('thread', 'text')
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull())
      .addColumn('not_before', 'bigint', (c) => c.notNull())
      .addColumn('address', 'text')
      .addColumn('held', 'integer', (c) => c.notNull())
      .addColumn('in_doubt', 'integer', (c) => c.notNull())
      .addColumn('digest_id', 'bigint')
      .addColumn('is_digest', 'integer', (c) => c.notNull())
      .addColumn('error', 'text')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('tried_at', 'bigint')
      .addColumn('finished_at', 'bigint')
      .addUniqueConstraint('outbox_once', ['source', 'key', 'recipient'])
      .execute()
    const open = sql<boolean>`state in ('waiting', 'sending')`
    await schema.createIndex('outbox_open').on('outbox').columns(['scheme', 'id']).where(open).execute()
    await schema.createIndex('outbox_threads').on('outbox').columns(['thread', 'recipient', 'id']).where(open).execute()
    await schema.createIndex('outbox_addresses').on('outbox').columns(['scheme', 'address', 'tried_at']).execute()
    await schema.createIndex('outbox_messages_used').on('outbox').columns(['message_id']).execute()
    await schema.createIndex('outbox_digests').on('outbox').columns(['digest_id']).execute()
    await schema.createIndex('outbox_finished').on('outbox').columns(['finished_at']).execute()
  },
}
