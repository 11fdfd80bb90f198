import { idColumn, idType, type Migration } from './migration.ts'

/** What people said of themselves: what they want to be told of, and who they are elsewhere. */
export const people: Migration = {
  number: 13,
  async up(db, flavor) {
    await db.schema
      .createTable('subscriptions')
      .addColumn('who', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('by', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('subscriptions_pk', ['who', 'kind', 'name'])
      .execute()
    await db.schema.createIndex('subscriptions_by_name').on('subscriptions').columns(['kind', 'name']).execute()
    await db.schema
      .createTable('identities')
      .addColumn('identity', 'text', (column) => column.primaryKey())
      .addColumn('who', 'text', (column) => column.notNull())
      .addColumn('proved_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('identities_by_who').on('identities').column('who').execute()
    await db.schema
      .createTable('identity_codes')
      .addColumn('id', idType(flavor), idColumn(flavor))
      .addColumn('identity', 'text', (column) => column.notNull())
      .addColumn('who', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('identity_codes_by_identity').on('identity_codes').column('identity').execute()
    await db.schema.createIndex('identity_codes_by_who').on('identity_codes').column('who').execute()
  },
}
