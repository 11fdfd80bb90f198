import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/** Who asks for a buildset may give it a name of theirs, to find it by. */
export const buildsetNames: Migration = {
  number: 12,
  async up(db) {
    const { schema } = db
    await schema.alterTable('buildsets').addColumn('external_id', 'text').execute()
    await schema
      .createIndex('buildsets_unfinished')
      .on('buildsets')
      .column('id')
      .where(sql<boolean>`finished_at is null`)
      .execute()
  },
}
