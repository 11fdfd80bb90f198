import type { Kysely } from 'kysely'
import type { Migration } from './migration.ts'

/** What is known of a slave beyond its link: when it was last heard of, since when it is absent, what people said of it. */
export const slaveStanding: Migration = {
  number: 2,
  async up(db) {
    for (const column of [
      'peer',
      'version',
      'running',
      'paused_by',
      'paused_reason',
      'away_by',
      'away_reason',
    ] as const)
      await add(db, column, 'text')
    for (const column of ['last_heard', 'absent_since', 'missing_at', 'paused_at', 'away_until'] as const)
      await add(db, column, 'bigint')
  },
}

async function add(db: Kysely<unknown>, column: string, type: 'text' | 'bigint'): Promise<void> {
  await db.schema.alterTable('slaves').addColumn(column, type).execute()
}
