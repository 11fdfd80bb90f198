import type { PostgresPlace } from './place.ts'
import { openSession } from './session.ts'

export interface PostgresFacts {
  /** Of the server: `15.8`. */
  readonly version: string
  /** Version of the schema; `null`: there are no tables of ours. */
  readonly schema: number | null
  readonly bytes: number
  /** The newest event, ms since 1970. */
  readonly lastEvent: number | null
  /** The server puts on the disk what it says it has stored. */
  readonly syncs: boolean
  readonly mayMakeTables: boolean
}

/** Looks into a database without changing it. @throws CiError `BOLT_STORE_UNREACHABLE`, `BOLT_STORE_REFUSED`. */
export async function inspectPostgres(place: PostgresPlace): Promise<PostgresFacts> {
  const session = await openSession(place)
  try {
    const [server] = await session.rows(
      `select current_setting('server_version') as version, current_setting('fsync') as fsync,
        pg_database_size(current_database()) as bytes, to_regclass('journal') is not null as ours,
        coalesce(has_schema_privilege(current_schema(), 'create'), false) as may`,
      [],
    )
    const ours = server!.ours === true
    const value = async (sql: string) => (ours ? ((await session.rows(sql, []))[0]?.value ?? null) : null)
    const schema = await value("select value from meta where key = 'schema'")
    const lastEvent = await value('select at as value from journal order by id desc limit 1')
    return {
      version: String(server!.version),
      schema: schema === null ? null : Number(schema),
      bytes: Number(server!.bytes),
      lastEvent: lastEvent === null ? null : Number(lastEvent),
      syncs: server!.fsync === 'on',
      mayMakeTables: server!.may === true,
    }
  } finally {
    await session.close()
  }
}
