import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { Client, type ClientConfig, types } from 'pg'
import { asPostgresError, ConnectionLost, endsConnection, storeUnreachable } from './errors.ts'
import { nameOf, type PostgresPlace } from './place.ts'

/** One connection. When it is lost its queries are refused with {@link ConnectionLost}, and it stays lost. */
export interface Session extends DatabaseConnection {
  isLost(): boolean
  /** Several statements at once, without parameters; the rows of each. */
  run(sql: string): Promise<readonly (readonly Row[])[]>
  /** One statement. */
  rows(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>
  close(): Promise<void>
}

export type Row = Readonly<Record<string, unknown>>

/** Texts differ by the length of `in` lists: what the walk uses all the time comes first and stays prepared. */
const PREPARED = 300
const CONNECT_MS = 10_000
/** A server that is gone without a word is noticed after this time. No query of the store takes nearly as long. */
const ANSWER_MS = 60_000

/** @throws CiError `BOLT_STORE_UNREACHABLE`, `BOLT_STORE_REFUSED`. */
export async function openSession(place: PostgresPlace): Promise<Session> {
  const client = new Client(clientConfig(place))
  const prepared = new Map<string, string>()
  let lost: Error | undefined
  let last: Promise<unknown> = Promise.resolve()
  client.on('error', (error) => {
    lost ??= error
  })
  await client.connect().catch((error: unknown) => {
    const refused = asPostgresError(nameOf(place), error)
    throw refused === error ? storeUnreachable(nameOf(place), error) : refused
  })

  /** One after the other, as the driver wants it. */
  function ask<T>(send: () => Promise<T>): Promise<T> {
    const answer = last.then(() => askNow(send))
    last = answer.catch(() => {}) // its asker is told
    return answer
  }

  async function askNow<T>(send: () => Promise<T>): Promise<T> {
    if (lost !== undefined) throw new ConnectionLost('The connection is gone.', { cause: lost })
    try {
      return await send()
    } catch (error) {
      if (lost === undefined && !endsConnection(error)) throw error
      lost ??= error instanceof Error ? error : new Error(String(error))
      client.end().catch(() => {}) // whatever it says, it is of no use any more
      throw new ConnectionLost('The connection was lost.', { cause: lost })
    }
  }

  function query(text: string, parameters: readonly unknown[]) {
    let name = prepared.get(text)
    if (name === undefined && prepared.size < PREPARED) {
      name = `s${prepared.size}`
      prepared.set(text, name)
    }
    const values = parameters.map(toParameter)
    return ask(() => client.query<Row>({ text, values, ...(name !== undefined && { name }) }))
  }

  return {
    isLost: () => lost !== undefined,
    async run(sql) {
      // One result, or one for each of several statements: the types of the driver know only the first.
      const results = (await ask(() => client.query(sql))) as unknown as Result | readonly Result[]
      return [results].flat().map(({ rows }) => rows)
    },
    rows: async (sql, parameters) => (await query(sql, parameters)).rows,
    executeQuery: async <R>({ sql, parameters }: CompiledQuery) => toResult<R>(await query(sql, parameters)),
    streamQuery,
    close: () => client.end(),
  }
}

interface Result {
  readonly rows: readonly Row[]
}

/** For the driver; `settings` are those of the server, `-c name=value`. */
export function clientConfig({ url, password }: PostgresPlace, settings = ''): ClientConfig {
  const full = new URL(url)
  if (password !== null) full.password = encodeURIComponent(password)
  if (settings !== '') full.searchParams.set('options', `${full.searchParams.get('options') ?? ''} ${settings}`)
  return {
    connectionString: full.href,
    application_name: 'boltbot',
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    types: { getTypeParser },
  }
}

const INT8 = 20

/** Ids, times and counts are numbers, as in SQLite: all of them are far below 2^53. */
const getTypeParser: NonNullable<ClientConfig['types']>['getTypeParser'] = (oid: number, format?: unknown) =>
  oid === INT8 && format !== 'binary' ? Number : types.getTypeParser(oid, format as 'text')

/** PostgreSQL keeps no NUL in a text. Numbers are ids, counts and times in whole milliseconds: a fraction comes of reckoning with times. */
export function toParameter(value: unknown): unknown {
  if (typeof value === 'number') return Math.round(value)
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
}

/** The shape of the rows is what the query builder derived from the tables. */
export function toResult<R>({ rows, rowCount }: { readonly rows: Row[]; readonly rowCount: number | null }) {
  return { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) } satisfies QueryResult<R>
}

// biome-ignore lint/correctness/useYield: there is nothing to give, it says why
export async function* streamQuery(): AsyncIterableIterator<never> {
  throw new Error('The store does not stream: read in pages, by key and limit.')
}
