import type { Migration } from './migration.ts'

/** Buildsets that are asked for twice by one key are one. */
export const buildsetKeys: Migration = {
  number: 5,
  async up(db) {
    const { schema } = db
    await schema.alterTable('buildsets').addColumn('dedupe_key', 'text').execute()
    await schema.createIndex('buildsets_key').on('buildsets').column('dedupe_key').unique().execute()
  },
}
