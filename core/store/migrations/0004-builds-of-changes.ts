import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/** Which builds a change is in, and which a slave had: pages ask for it. */
export const buildsOfChanges: Migration = {
  number: 4,
  async up(db, flavor) {
    await db.schema
      .createTable('build_changes')
      .addColumn('change_id', 'integer', (column) => column.notNull())
      .addColumn('build_id', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('build_changes_key', ['change_id', 'build_id'])
      .execute()
    await db.schema.createIndex('build_changes_build').on('build_changes').column('build_id').execute()
    await db.schema.createIndex('builds_slave').on('builds').columns(['slave', 'id']).execute()
    // No other database is that old.
    if (flavor !== 'sqlite') return
    await sql`
      insert into build_changes (change_id, build_id)
      select distinct stamped.value, builds.id
      from builds, json_each(builds.source_stamp, '$.changes') as stamped
      where json_valid(builds.source_stamp) and stamped.type = 'integer'`.execute(db)
  },
}
