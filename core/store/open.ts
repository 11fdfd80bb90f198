import { close as closeFile, closeSync, fdatasync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { CiError, type Clock, type Log, messageOf } from 'boltbot/plugin-sdk'
import { asStoreError, storeSyncFailed, storeUnreadable } from './errors.ts'
import { type MigratedTables, migrate } from './migrate.ts'
import { onlyReading } from './only-reading.ts'
import type { QueryBuilders } from './query-builder.ts'
import { createSqliteBuilders, createSqliteConnection, type SqliteConnection } from './sqlite-dialect.ts'
import { createSqliteWriter } from './sqlite-writer.ts'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'
import { createTransitions } from './transitions.ts'

export interface OpenOptions {
  /** Path of the database, made if it is not there; its folder must be. `':memory:'` for tests. */
  readonly file: string
  readonly clock: Clock
  readonly log: Log
  /** Puts a file on the disk; default `fs.fdatasync`. Not called for `':memory:'`. */
  readonly sync?: (fd: number) => Promise<void>
  /**
   * Called once when it could not be put on the disk, before anybody else hears of it: nothing is stored any more until it is opened anew,
   * so the process had better end. Default: it is logged.
   */
  readonly broken?: (error: CiError) => void
}

/**
 * Opens the embedded store, migrates it, locks it against other processes.
 * @throws CiError `BOLT_STORE_NEWER`, `BOLT_STORE_UNREADABLE`, `BOLT_STORE_LOCKED`, `BOLT_STORE_FULL`, `BOLT_STORE_SYNC`.
 */
export async function openSqliteStore(options: OpenOptions): Promise<Store> {
  const { file, clock, log } = options
  await using opening = new AsyncDisposableStack()
  const inMemory = file === ':memory:'
  if (!inMemory) createPrivately(file)
  const connection = openDatabase(file)
  opening.defer(() => connection.database.close())
  const builders = createSqliteBuilders(connection)
  await prepare(connection, builders, file, log)

  const sync = inMemory ? null : await openWal(file, options.sync ?? promisify(fdatasync))
  if (sync !== null) opening.defer(() => sync.close())
  const transitions = createTransitions({
    writer: createSqliteWriter(connection, builders, file),
    name: file,
    clock,
    log,
    sync: sync === null ? null : sync.run,
    broken: options.broken,
    // Not the newest row: retention may have taken it.
    durable: Number(connection.statement("select seq from sqlite_sequence where name = 'journal'").get()?.seq ?? 0),
  })

  const db = builders.kysely<Tables>({
    async provideConnection(consumer) {
      // One connection: inside a transaction it would show what is not committed.
      for (let open = transitions.settled(); open !== undefined; open = transitions.settled()) await open
      return consumer(readOnly)
    },
  })
  const readOnly = onlyReading(connection)
  const opened = opening.move()
  let closing: Promise<void> | undefined
  return {
    db,
    now: () => clock.now(),
    transition: transitions.transition,
    onEvents: transitions.onEvents,
    durableEvents: transitions.durableEvents,
    close: () => (closing ??= transitions.close().then(() => opened.disposeAsync())),
  }
}

/** It holds what people typed, mail addresses and the state of plugins: not for every account of the machine. */
function createPrivately(file: string): void {
  try {
    // Only when it is new: closing a descriptor of a file that this process has open elsewhere drops SQLite's locks on it.
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw storeUnreadable(file, messageOf(error), error)
    }
  }
}

function openDatabase(file: string): SqliteConnection {
  let database: DatabaseSync
  try {
    database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
  } catch (error) {
    throw asStoreError(file, error)
  }
  return createSqliteConnection(database)
}

async function prepare(connection: SqliteConnection, builders: QueryBuilders, file: string, log: Log): Promise<void> {
  const { database } = connection
  try {
    // Before the first read, so that the lock is held from it to the end, and the index of the WAL stays in our own memory.
    database.exec('pragma locking_mode = exclusive')
    database.exec('pragma journal_mode = wal')
    database.exec('pragma synchronous = full')
    const db = builders.kysely<MigratedTables>({ provideConnection: (consumer) => consumer(connection) })
    const before = await migrate(db, {
      flavor: 'sqlite',
      file,
      async atomically(body) {
        database.exec('begin immediate')
        try {
          await body()
          database.exec('commit')
        } catch (error) {
          if (database.isTransaction) database.exec('rollback')
          throw error
        }
      },
    })
    log.debug('store opened', { file, schema: before })
    // Commits leave their sync to the transitions, which do it without stopping the event loop: docs/decisions/0001.
    database.exec('pragma synchronous = normal')
    database.exec('pragma checkpoint_fullfsync = on')
    database.exec('pragma wal_autocheckpoint = 2000')
    database.exec('pragma temp_store = memory')
  } catch (error) {
    throw error instanceof CiError ? error : asStoreError(file, error)
  }
}

interface WalSync {
  run(): Promise<void>
  close(): Promise<void>
}

/** Syncs the file that commits go to. SQLite keeps that file from its first use until it is closed, also over checkpoints. */
async function openWal(file: string, sync: (fd: number) => Promise<void>): Promise<WalSync> {
  let fd: number
  try {
    fd = openSync(`${file}-wal`, 'r+')
  } catch (error) {
    throw storeUnreadable(file, messageOf(error), error)
  }
  const close = () => promisify(closeFile)(fd)
  try {
    // Committed by a master that was killed before its sync: from here on it counts, so it has to be on the disk.
    await sync(fd)
  } catch (error) {
    await close()
    throw storeSyncFailed(file, error)
  }
  return { run: () => sync(fd), close }
}
