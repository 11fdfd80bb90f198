import { type Kysely, sql } from 'kysely'
import { idColumn, idType, type Migration, type SqlFlavor } from './migration.ts'

/** The first schema: see tables.ts for what the columns mean. */
export const first: Migration = {
  number: 1,
  async up(db, flavor) {
    await journalAndChanges(db, flavor)
    await queue(db, flavor)
    await builds(db, flavor)
    await rest(db)
  },
}

async function journalAndChanges(db: Kysely<unknown>, flavor: SqlFlavor): Promise<void> {
  const { schema } = db
  await schema
    .createTable('meta')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('journal')
    .addColumn('id', idType(flavor), idColumn(flavor))
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('cursors')
    .addColumn('plugin', 'text', (c) => c.primaryKey())
    .addColumn('event_id', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('changes')
    .addColumn('id', idType(flavor), idColumn(flavor))
    .addColumn('dedupe_key', 'text', (c) => c.unique())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('files', 'text', (c) => c.notNull())
    .addColumn('comments', 'text', (c) => c.notNull())
    .addColumn('branch', 'text')
    .addColumn('revision', 'text')
    .addColumn('repository', 'text', (c) => c.notNull())
    .addColumn('project', 'text', (c) => c.notNull())
    .addColumn('codebase', 'text', (c) => c.notNull())
    .addColumn('category', 'text')
    .addColumn('revlink', 'text')
    .addColumn('links', 'text', (c) => c.notNull())
    .addColumn('properties', 'text', (c) => c.notNull())
    .addColumn('committed_at', 'bigint', (c) => c.notNull())
    .addColumn('accepted_at', 'bigint', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .execute()
  await schema
    .createTable('schedulers')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('version', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('event_id', 'bigint', (c) => c.notNull())
    .addColumn('wake_at', 'bigint')
    .addColumn('waiting', 'text')
    .execute()
}

async function queue(db: Kysely<unknown>, flavor: SqlFlavor): Promise<void> {
  const { schema } = db
  await schema
    .createTable('buildsets')
    .addColumn('id', idType(flavor), idColumn(flavor))
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('scheduler', 'text')
    .addColumn('owner', 'text')
    .addColumn('source_stamp', 'text', (c) => c.notNull())
    .addColumn('properties', 'text', (c) => c.notNull())
    .addColumn('submitted_at', 'bigint', (c) => c.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('result', 'text')
    .addColumn('pending', 'integer', (c) => c.notNull())
    .addColumn('doomed', 'integer', (c) => c.notNull())
    .execute()
  await schema.createIndex('buildsets_finished').on('buildsets').column('finished_at').execute()
  await schema
    .createTable('requests')
    .addColumn('id', idType(flavor), idColumn(flavor))
    .addColumn('buildset_id', 'bigint', (c) => c.notNull())
    .addColumn('builder', 'text', (c) => c.notNull())
    .addColumn('priority', 'integer', (c) => c.notNull())
    .addColumn('front', 'integer', (c) => c.notNull())
    .addColumn('submitted_at', 'bigint', (c) => c.notNull())
    .addColumn('not_before', 'bigint', (c) => c.notNull())
    .addColumn('merge_key', 'text')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('owner', 'text')
    .addColumn('epoch', 'integer', (c) => c.notNull())
    .addColumn('losses', 'integer', (c) => c.notNull())
    .addColumn('build_id', 'bigint')
    .addColumn('last_slave', 'text')
    .addColumn('result', 'text')
    .addColumn('finished_at', 'bigint')
    .execute()
  // The queue in its own order: a claim reads the head of it, whatever waits behind.
  await schema
    .createIndex('requests_waiting')
    .on('requests')
    .columns(['builder', 'priority desc', 'front desc', 'submitted_at', 'id'])
    .where(sql<boolean>`state = 'waiting'`)
    .execute()
  // In queue order within a key too, so that merging sorts nothing.
  await schema
    .createIndex('requests_waiting_key')
    .on('requests')
    .columns(['builder', 'merge_key', 'priority desc', 'front desc', 'submitted_at', 'id'])
    .where(sql<boolean>`state = 'waiting'`)
    .execute()
  await schema
    .createIndex('requests_claimed')
    .on('requests')
    .columns(['builder', 'id'])
    .where(sql<boolean>`state = 'claimed'`)
    .execute()
  await schema.createIndex('requests_buildset').on('requests').column('buildset_id').execute()
  await schema.createIndex('requests_build').on('requests').column('build_id').execute()
}

async function builds(db: Kysely<unknown>, flavor: SqlFlavor): Promise<void> {
  const { schema } = db
  await schema
    .createTable('builds')
    .addColumn('id', idType(flavor), idColumn(flavor))
    .addColumn('builder', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('requests', 'text', (c) => c.notNull())
    .addColumn('slave', 'text', (c) => c.notNull())
    .addColumn('owner', 'text', (c) => c.notNull())
    .addColumn('epoch', 'integer', (c) => c.notNull())
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('source_stamp', 'text', (c) => c.notNull())
    .addColumn('branch', 'text', (c) => c.notNull())
    .addColumn('properties', 'text', (c) => c.notNull())
    .addColumn('config_hash', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('result', 'text')
    .addColumn('text', 'text', (c) => c.notNull())
    .addUniqueConstraint('builds_number', ['builder', 'number'])
    .execute()
  await schema
    .createIndex('builds_running')
    .on('builds')
    .columns(['builder', 'lease_until'])
    .where(sql<boolean>`state = 'running'`)
    .execute()
  await schema.createIndex('builds_finished').on('builds').column('finished_at').execute()
  await schema
    .createTable('steps')
    .addColumn('build_id', 'bigint', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('result', 'text')
    .addColumn('logs', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('steps_pk', ['build_id', 'number'])
    .execute()
  // What retention has to look at: a step whose logs are gone has '[]'.
  await schema.createIndex('steps_with_logs').on('steps').column('build_id').where(sql<boolean>`logs <> '[]'`).execute()
  await schema
    .createTable('builders')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('next_number', 'integer', (c) => c.notNull())
    .addColumn('last_number', 'integer')
    .addColumn('last_result', 'text')
    .execute()
  await schema
    .createTable('branch_results')
    .addColumn('builder', 'text', (c) => c.notNull())
    .addColumn('branch', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('result', 'text', (c) => c.notNull())
    .addColumn('last_success', 'integer')
    .addPrimaryKeyConstraint('branch_results_pk', ['builder', 'branch'])
    .execute()
}

async function rest(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('lock_holds')
    .addColumn('build_id', 'bigint', (c) => c.notNull())
    .addColumn('step', 'integer', (c) => c.notNull())
    .addColumn('lock', 'text', (c) => c.notNull())
    .addColumn('slave', 'text', (c) => c.notNull())
    .addColumn('mode', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('lock_holds_pk', ['build_id', 'step', 'lock', 'slave'])
    .execute()
  await schema
    .createTable('why_nots')
    .addColumn('builder', 'text', (c) => c.primaryKey())
    .addColumn('code', 'text', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute()
  await schema
    .createTable('slaves')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('admin', 'text')
    .addColumn('host', 'text')
    .addColumn('connected_at', 'bigint')
    .addColumn('lost_at', 'bigint')
    .execute()
  await schema
    .createTable('plugin_state')
    .addColumn('plugin', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('plugin_state_pk', ['plugin', 'key'])
    .execute()
}
