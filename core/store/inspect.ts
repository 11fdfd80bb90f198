import { DatabaseSync } from 'node:sqlite'

export interface DatabaseFacts {
  /** Version of the schema; `null`: it is none of ours. */
  readonly schema: number | null
  /** What SQLite says is wrong with the file; empty: nothing. */
  readonly damage: readonly string[]
  /** The newest event, ms since 1970. */
  readonly lastEvent: number | null
}

/** Looks into a database without changing it. While a master has it open it is locked, and `storeHealth` is asked. @throws what SQLite throws. */
export function inspectDatabase(file: string): DatabaseFacts {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  const damage = database
    .prepare('pragma quick_check(5)')
    .all()
    .map((row) => String(row.quick_check))
  const value = (sql: string) => {
    try {
      return database.prepare(sql).get()?.value ?? null
    } catch {
      return null // there is no such table: it is none of ours
    }
  }
  const schema = value("select value from meta where key = 'schema'")
  const lastEvent = value('select at as value from journal order by id desc limit 1')
  return {
    schema: schema === null ? null : Number(schema),
    damage: damage.filter((line) => line !== 'ok'),
    lastEvent: lastEvent === null ? null : Number(lastEvent),
  }
}
