import type { Migration } from './migration.ts'

/** Slaves that finish what they run and then exit, and which program of theirs was asked to. */
export const leaving: Migration = {
  number: 14,
  async up(db) {
    for (const column of ['leaving_why', 'leaving_agent'] as const)
      await db.schema.alterTable('slaves').addColumn(column, 'text').execute()
  },
}
