import type { ColumnDefinitionBuilder, Kysely } from 'kysely'

/** Where the dialects of SQL differ. */
export type SqlFlavor = 'sqlite' | 'postgres'

/** One step of the schema. Once released it is never edited: what it got wrong, the next one mends. */
export interface Migration {
  /** From 1, without gaps: its number in the list. */
  readonly number: number
  up(db: Kysely<unknown>, flavor: SqlFlavor): Promise<void>
}

/** The type of a column that holds ids made by the database. */
export function idType(flavor: SqlFlavor): 'integer' | 'bigint' {
  // SQLite numbers rows only in a column of type INTEGER exactly, which holds 64 bits there.
  return flavor === 'sqlite' ? 'integer' : 'bigint'
}

/** Makes a column the primary key with ids that grow and are never given again. */
export function idColumn(flavor: SqlFlavor): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) =>
    flavor === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey().generatedAlwaysAsIdentity()
}
