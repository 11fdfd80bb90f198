import { asStoreError } from './errors.ts'
import type { QueryBuilders } from './query-builder.ts'
import type { SqliteConnection } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'
import type { Writer } from './writer.ts'

/** Writes by the one connection there is, which answers at once. */
export function createSqliteWriter(connection: SqliteConnection, builders: QueryBuilders, file: string): Writer {
  const { database, command } = connection
  const insertEvent = database.prepare('insert into journal (at, name, payload) values (?, ?, ?)')
  return {
    // A transaction that reads first never fails when it comes to write.
    begin: () => command('begin immediate'),
    commit: () => command('commit'),
    rollback: () => command('rollback'),
    savepoint: () => command('savepoint one'),
    release: () => command('release one'),
    undo() {
      command('rollback to one')
      command('release one')
    },
    isOpen: () => database.isTransaction,
    wasLost: () => false,
    queries: (guard) =>
      builders.transaction<Tables>({
        async provideConnection(consumer) {
          guard()
          return consumer(connection)
        },
      }),
    append: (events) =>
      events.map(({ at, name, payload }) => Number(insertEvent.run(at, name, payload).lastInsertRowid)),
    asError: (error) => asStoreError(file, error),
    closing() {},
  }
}
