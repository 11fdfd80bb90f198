import type { Migration } from './migration.ts'

/** What a build needs to go on under another process of the master. */
export const adoption: Migration = {
  number: 7,
  async up(db) {
    const { schema } = db
    await schema.alterTable('builds').addColumn('agent', 'text').execute()
    await schema.alterTable('builds').addColumn('stopping', 'text').execute()
    await schema.alterTable('steps').addColumn('properties', 'text').execute()
  },
}
