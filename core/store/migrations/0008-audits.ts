import { idColumn, idType, type Migration } from './migration.ts'

/** Acts of people, allowed and refused. */
export const audits: Migration = {
  number: 8,
  async up(db, flavor) {
    await db.schema
      .createTable('audits')
      .addColumn('id', idType(flavor), idColumn(flavor))
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('action', 'text', (c) => c.notNull())
      .addColumn('who', 'text', (c) => c.notNull())
      .addColumn('via', 'text', (c) => c.notNull())
      .addColumn('proofs', 'text')
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('reason', 'text')
      .addColumn('refusal', 'text')
      .execute()
  },
}
