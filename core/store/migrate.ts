import { type Kysely, sql } from 'kysely'
import { storeNewer, storeUnreadable } from './errors.ts'
import { first } from './migrations/0001-first.ts'
import { slaveStanding } from './migrations/0002-slave-standing.ts'
import { flow } from './migrations/0003-flow.ts'
import { buildsOfChanges } from './migrations/0004-builds-of-changes.ts'
import { buildsetKeys } from './migrations/0005-buildset-keys.ts'
import { instances } from './migrations/0006-instances.ts'
import { adoption } from './migrations/0007-adoption.ts'
import { audits } from './migrations/0008-audits.ts'
import { outbox } from './migrations/0009-outbox.ts'
import { pollers } from './migrations/0010-pollers.ts'
import { outboxWaiting } from './migrations/0011-outbox-waiting.ts'
import { buildsetNames } from './migrations/0012-buildset-names.ts'
import { people } from './migrations/0013-people.ts'
import { leaving } from './migrations/0014-leaving.ts'
import { subscribedEvents } from './migrations/0015-subscribed-events.ts'
import { followers } from './migrations/0016-followers.ts'
import { queueById } from './migrations/0017-queue-by-id.ts'
import type { Migration, SqlFlavor } from './migrations/migration.ts'

/** Every migration, in order. Append only. */
export const MIGRATIONS: readonly Migration[] = Object.freeze([
  first,
  slaveStanding,
  flow,
  buildsOfChanges,
  buildsetKeys,
  instances,
  adoption,
  audits,
  outbox,
  pollers,
  outboxWaiting,
  buildsetNames,
  people,
  leaving,
  subscribedEvents,
  followers,
  queueById,
])

export interface MigrateOptions {
  readonly flavor: SqlFlavor
  /** How people call this store, for messages. */
  readonly file: string
  /** Runs its argument in one transaction. */
  atomically(body: () => Promise<void>): Promise<void>
  /** Stop at this version: for tests of later migrations. */
  readonly to?: number
}

/**
 * Brings the schema up to date, one transaction a migration, and gives the version it found.
 * @throws CiError `BOLT_STORE_NEWER`, `BOLT_STORE_UNREADABLE`.
 */
export async function migrate(db: Kysely<MigratedTables>, options: MigrateOptions): Promise<number> {
  const found = await schemaVersion(db, options)
  const known = MIGRATIONS.length
  if (found > known) throw storeNewer(options.file, found, known)
  for (const migration of MIGRATIONS.slice(found, options.to ?? known)) {
    await options.atomically(async () => {
      // A migration works on the schema as it was when it was written, not on today's tables.
      await migration.up(db as Kysely<unknown>, options.flavor)
      await db
        .insertInto('meta')
        .values({ key: 'schema', value: String(migration.number) })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: String(migration.number) }))
        .execute()
    })
  }
  return found
}

/** 0 for an empty database. */
async function schemaVersion(db: Kysely<MigratedTables>, { flavor, file }: MigrateOptions): Promise<number> {
  const tables = await NAMES[flavor].execute(db)
  if (tables.rows.length === 0) return 0
  if (!tables.rows.some(({ name }) => name === 'meta')) {
    throw storeUnreadable(file, 'it is the database of another program')
  }
  const { rows } = await sql<{ value: string }>`select value from meta where key = 'schema'`.execute(db)
  const version = Number(rows[0]?.value)
  if (!Number.isSafeInteger(version) || version < 1) throw storeUnreadable(file, 'it has no schema version')
  return version
}

/** The tables there are. */
const NAMES = {
  sqlite: sql<{ name: string }>`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`,
  postgres: sql<{
    name: string
  }>`select tablename as name from pg_catalog.pg_tables where schemaname = current_schema()`,
} as const

/** What every version of the schema has. */
export interface MigratedTables {
  meta: { key: string; value: string }
}
