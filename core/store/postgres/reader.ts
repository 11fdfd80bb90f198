import type { Clock, Log } from 'boltbot/plugin-sdk'
import type { CompiledQuery, DatabaseConnection } from 'kysely'
import { Pool } from 'pg'
import { asPostgresError, endsConnection } from './errors.ts'
import { nameOf, type PostgresPlace } from './place.ts'
import { clientConfig, type Row, streamQuery, toParameter, toResult } from './session.ts'

/** Connections for reading. A query whose connection is lost is asked again, until the store is closed. */
export interface PostgresReader extends DatabaseConnection {
  /** Waits for a lost database no longer. */
  closing(): void
  close(): Promise<void>
}

/** Pages and the walk read side by side; more would only wait in the server. */
const CONNECTIONS = 4
const RETRY_MS = 1000

export function createPostgresReader(place: PostgresPlace, clock: Clock, log: Log): PostgresReader {
  // Refused also to what is written in plain SQL.
  const pool = new Pool({ ...clientConfig(place, '-c default_transaction_read_only=on'), max: CONNECTIONS })
  let closing = false
  // One that waited in the pool: the next query makes another.
  pool.on('error', (error) => log.debug('a connection for reading was lost', { store: nameOf(place), error }))

  return {
    async executeQuery<R>({ sql, parameters }: CompiledQuery) {
      const values = parameters.map(toParameter)
      while (true) {
        try {
          return toResult<R>(await pool.query<Row>(sql, values))
        } catch (error) {
          if (closing || !endsConnection(error)) throw asPostgresError(nameOf(place), error)
        }
        await new Promise<void>((resolve) => void clock.timer(RETRY_MS, resolve))
      }
    },
    streamQuery,
    closing() {
      closing = true
    },
    close: () => pool.end(),
  }
}
