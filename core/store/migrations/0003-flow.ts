import type { Migration } from './migration.ts'

/** Steps that were chosen for one build, how long steps take, and the timer behind a buildset. */
export const flow: Migration = {
  number: 3,
  async up(db) {
    const { schema } = db
    await schema.alterTable('builds').addColumn('plan', 'text').execute()
    await schema.alterTable('builders').addColumn('step_times', 'text').execute()
    await schema.alterTable('buildsets').addColumn('stable_ms', 'bigint').execute()
  },
}
