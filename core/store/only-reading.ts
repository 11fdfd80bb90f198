import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { writeOutside } from './errors.ts'

/** A connection that refuses whatever was built to write: `Store.db` is for reading. */
export function onlyReading(connection: DatabaseConnection): DatabaseConnection {
  return {
    executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { kind } = query.query
      if (kind !== 'SelectQueryNode' && kind !== 'RawNode') return Promise.reject(writeOutside(kind))
      return connection.executeQuery<R>(query)
    },
    streamQuery: (query, size) => connection.streamQuery(query, size),
  }
}
