import type { Clock, Log } from 'boltbot/plugin-sdk'
import { type Dialect, type Driver, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { type MigratedTables, migrate } from '../migrate.ts'
import { onlyReading } from '../only-reading.ts'
import { createQueryBuilders, type QueryBuilders } from '../query-builder.ts'
import type { Store } from '../store.ts'
import type { Tables } from '../tables.ts'
import { createTransitions } from '../transitions.ts'
import { nameOf, type PostgresPlace } from './place.ts'
import { createPostgresReader } from './reader.ts'
import { openPostgresWriter, type PostgresWriter } from './writer.ts'

export interface PostgresOptions {
  readonly place: PostgresPlace
  readonly clock: Clock
  readonly log: Log
  /** Other masters may have it open as well; default false: they are refused. */
  readonly shared?: boolean
}

/**
 * Opens a store in PostgreSQL, migrates it, locks it against other masters.
 * @throws CiError `BOLT_STORE_UNREACHABLE`, `BOLT_STORE_REFUSED`, `BOLT_STORE_LOCKED`, `BOLT_STORE_NEWER`, `BOLT_STORE_UNREADABLE`,
 * `BOLT_STORE_FULL`.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { place, clock, log, shared = false } = options
  const name = nameOf(place)
  const builders = createQueryBuilders(DIALECT)
  await using opening = new AsyncDisposableStack()
  const writer = opening.adopt(await openPostgresWriter({ place, builders, shared, clock, log }), (one) => one.close())
  const atStart = await prepare(writer, builders, name, log)
  const reader = opening.adopt(createPostgresReader(place, clock, log), (one) => one.close())
  // A commit is synced by the server before it answers.
  const transitions = createTransitions({ writer, name, clock, log, sync: null, durable: atStart })

  const readOnly = onlyReading(reader)
  const db = builders.kysely<Tables>({ provideConnection: (consumer) => consumer(readOnly) })
  const opened = opening.move()
  let closing: Promise<void> | undefined
  return {
    db,
    now: () => clock.now(),
    transition: transitions.transition,
    onEvents: transitions.onEvents,
    async durableEvents() {
      // Other masters write events too. Ids are drawn by one writer at a time: whatever is seen has all before it.
      const own = await transitions.durableEvents()
      const row = await db
        .selectFrom('journal')
        .select((eb) => eb.fn.max('id').as('id'))
        .executeTakeFirst()
      return Math.max(own, Number(row?.id ?? 0))
    },
    close() {
      reader.closing()
      return (closing ??= transitions.close().then(() => opened.disposeAsync()))
    },
  }
}

/** Migrates, and gives the last event id there was, also when retention has taken it. */
async function prepare(writer: PostgresWriter, builders: QueryBuilders, name: string, log: Log): Promise<number> {
  const db = builders.kysely<MigratedTables>({ provideConnection: (consumer) => consumer(writer.session) })
  try {
    const before = await migrate(db, {
      flavor: 'postgres',
      file: name,
      async atomically(body) {
        await writer.begin()
        await body()
        await writer.commit()
      },
    })
    log.debug('store opened', { store: name, schema: before })
    await writer.begin()
    // In a transaction, so that no other master has drawn ids that nobody can see yet.
    const sequence = `pg_sequence_last_value(pg_get_serial_sequence('journal', 'id')::regclass)`
    const [row] = await writer.session.rows(`select coalesce(${sequence}, 0) as id`, [])
    await writer.commit()
    return Number(row!.id)
  } catch (error) {
    throw writer.asError(error)
  }
}

/** Connections are handed out by the store itself. */
const NO_DRIVER: Driver = {
  async init() {},
  acquireConnection: () => Promise.reject(new Error('The store hands out connections itself.')),
  async beginTransaction() {},
  async commitTransaction() {},
  async rollbackTransaction() {},
  async releaseConnection() {},
  async destroy() {},
}

const DIALECT: Dialect = {
  createDriver: () => NO_DRIVER,
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createAdapter: () => new PostgresAdapter(),
  createIntrospector: (db) => new PostgresIntrospector(db),
}
