import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { createQueryBuilders, type QueryBuilders } from './query-builder.ts'

/** The one connection, with its prepared statements. */
export interface SqliteConnection extends DatabaseConnection {
  readonly database: DatabaseSync
  /** Runs a statement that gives no rows and has no parameters, prepared once. */
  command(sql: string): void
  /** Prepared once per text, kept while it is among the last used. */
  statement(sql: string): StatementSync
}

/** Texts differ by the length of `in` lists: what the walk uses all the time stays, the rest is prepared again when it comes. */
const CACHED_STATEMENTS = 500

/** Wraps a database of node:sqlite for Kysely. Calls are synchronous inside: a query holds the connection for no longer than itself. */
export function createSqliteConnection(database: DatabaseSync): SqliteConnection {
  const cache = new Map<string, Prepared>()

  function prepared(sql: string): Prepared {
    let entry = cache.get(sql)
    if (entry !== undefined) {
      // Moved to the end: the map is in order of last use.
      cache.delete(sql)
    } else {
      const statement = database.prepare(sql)
      entry = { statement, givesRows: statement.columns().length > 0 }
      if (cache.size >= CACHED_STATEMENTS) cache.delete(cache.keys().next().value!)
    }
    cache.set(sql, entry)
    return entry
  }

  return {
    database,
    statement: (sql) => prepared(sql).statement,
    command: (sql) => void prepared(sql).statement.run(),
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { statement, givesRows } = prepared(query.sql)
      // Kysely types parameters as unknown; node:sqlite refuses by itself what it cannot bind.
      const parameters = query.parameters as SQLInputValue[]
      // The shape of the rows is what the query builder derived from the tables.
      if (givesRows) return { rows: statement.all(...parameters) as R[] }
      const { changes, lastInsertRowid } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    },
    // biome-ignore lint/correctness/useYield: there is nothing to give, it says why
    async *streamQuery() {
      // A cursor left open between turns would see later writes and be cut off by a rollback.
      throw new Error('The SQLite store does not stream: read in pages, by key and limit.')
    },
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly givesRows: boolean
}

/** Query builders over one open connection. */
export function createSqliteBuilders(connection: SqliteConnection): QueryBuilders {
  return createQueryBuilders(createSqliteDialect(connection))
}

/** The dialect over one open connection. `begin immediate`: a transaction that reads first never fails when it comes to write. */
function createSqliteDialect(connection: SqliteConnection): Dialect {
  const driver: Driver = {
    async init() {},
    acquireConnection: async () => connection,
    beginTransaction: async () => connection.command('begin immediate'),
    commitTransaction: async () => connection.command('commit'),
    rollbackTransaction: async () => connection.command('rollback'),
    async releaseConnection() {},
    // Whoever opened the database closes it.
    async destroy() {},
  }
  return {
    createDriver: () => driver,
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}
