import { idColumn, idType, type Migration } from './migration.ts'

/** Whom the chat bot promised to tell of a request: when its build starts and when it has ended. */
export const followers: Migration = {
  number: 16,
  async up(db, flavor) {
    await db.schema
      .createTable('followers')
      .addColumn('id', idType(flavor), idColumn(flavor))
      .addColumn('place', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('request_id', 'bigint', (column) => column.notNull())
      .addColumn('told_build', 'bigint')
      .execute()
    await db.schema.createIndex('followers_by_request').on('followers').column('request_id').execute()
    await db.schema.createIndex('followers_by_place').on('followers').column('place').execute()
  },
}
