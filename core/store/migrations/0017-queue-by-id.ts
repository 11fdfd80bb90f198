import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/** The queue in the order of its ids: a clock that is set back must not let newer requests pass older ones. */
export const queueById: Migration = {
  number: 17,
  async up({ schema }) {
    await schema.dropIndex('requests_waiting').execute()
    await schema
      .createIndex('requests_waiting')
      .on('requests')
      .columns(['builder', 'priority desc', 'front desc', 'id'])
      .where(sql<boolean>`state = 'waiting'`)
      .execute()
    await schema.dropIndex('requests_waiting_key').execute()
    await schema
      .createIndex('requests_waiting_key')
      .on('requests')
      .columns(['builder', 'merge_key', 'priority desc', 'front desc', 'id'])
      .where(sql<boolean>`state = 'waiting'`)
      .execute()
  },
}
