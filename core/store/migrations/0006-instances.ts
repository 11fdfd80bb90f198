import type { Migration } from './migration.ts'

/** Instances of latent slaves: see tables.ts for what the columns mean. */
export const instances: Migration = {
  number: 6,
  async up(db) {
    await db.schema
      .createTable('instances')
      .addColumn('slave', 'text', (c) => c.primaryKey())
      .addColumn('engine', 'text', (c) => c.notNull())
      .addColumn('epoch', 'integer', (c) => c.notNull())
      .addColumn('request_id', 'bigint', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('password', 'text', (c) => c.notNull())
      .addColumn('since', 'bigint', (c) => c.notNull())
      .addColumn('failures', 'integer', (c) => c.notNull())
      .addColumn('not_before', 'bigint', (c) => c.notNull())
      .execute()
  },
}
