import type { Migration } from './migration.ts'

/** How the pollers fare, so that it is known after a restart. */
export const pollers: Migration = {
  number: 10,
  async up(db) {
    await db.schema
      .createTable('pollers')
      .addColumn('source', 'text', (column) => column.primaryKey())
      .addColumn('polled_at', 'bigint', (column) => column.notNull())
      .addColumn('good_at', 'bigint')
      .addColumn('failures', 'integer', (column) => column.notNull())
      .addColumn('error', 'text')
      .execute()
  },
}
