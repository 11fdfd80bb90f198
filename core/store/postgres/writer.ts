import { type Clock, hasCode, type Log } from 'boltbot/plugin-sdk'
import type { QueryBuilders } from '../query-builder.ts'
import type { Tables } from '../tables.ts'
import type { Writer } from '../writer.ts'
import { asPostgresError, storeRefused } from './errors.ts'
import { nameOf, type PostgresPlace } from './place.ts'
import { openSession, type Session } from './session.ts'

export interface PostgresWriter extends Writer {
  /** For migrations, before the first transaction. */
  readonly session: Session
  close(): Promise<void>
}

export interface WriterOptions {
  readonly place: PostgresPlace
  readonly builders: QueryBuilders
  /** Other masters may have the store open as well. */
  readonly shared: boolean
  readonly clock: Clock
  readonly log: Log
}

/** Advisory locks of a store, each with its schema: who has it open, and who writes. */
const OWNER = 0x62_6f_6c_74
const WRITING = OWNER + 1
/** A killed master's server process may still be at its last query. */
const PATIENCE = '5s'
const RETRY_MS = 1000
/** How often somebody else may have the store before that is believed. */
const TAKEN = 3

/**
 * Writes by one connection, which is made again when it is lost. Writers of several masters take turns, a transaction each: what a
 * transition reads stays as it is until it ends, and events become visible in the order of their ids.
 */
export async function openPostgresWriter(options: WriterOptions): Promise<PostgresWriter> {
  const { place, builders, clock, log } = options
  const name = nameOf(place)
  let writing = await openWriting(options)
  let { session } = writing
  let open = false
  let lost = false
  let closing = false
  let transaction: unknown

  /** In the transaction: notes that it is gone. */
  async function inside<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (session.isLost()) {
        open = false
        lost = true
      }
      throw error
    }
  }

  const command = (sql: string) => inside(() => session.run(sql)).then(() => {})

  async function begin(): Promise<void> {
    while (true) {
      if (session.isLost()) await connectAgain()
      try {
        const lock = `select pg_advisory_xact_lock(${WRITING}, ${writing.schema})`
        const [, , current] = await session.run(`begin; ${lock}; select txid_current()::text as id`)
        transaction = current![0]!.id
        open = true
        lost = false
        return
      } catch (error) {
        if (!session.isLost()) {
          await session.run('rollback')
          throw error
        }
      }
    }
  }

  /** Whatever is to be stored waits for it. */
  async function connectAgain(): Promise<void> {
    log.warn('the database went away', { store: name })
    for (let tries = 1; ; tries++) {
      try {
        writing = await openWriting(options, writing.backend)
        session = writing.session
        log.info('the database is back', { store: name })
        return
      } catch (error) {
        if (tries === 1) log.warn('the database stays away', { store: name, error })
        // Another master has it: that one goes on with what this one did.
        if (closing || (tries > TAKEN && hasCode(error, 'BOLT_STORE_LOCKED'))) throw error
        await sleep(RETRY_MS)
      }
    }
  }

  /** Whether a transaction whose end nobody heard of was committed. */
  async function wasCommitted(): Promise<boolean> {
    while (true) {
      if (session.isLost()) await connectAgain()
      try {
        const [row] = await session.rows('select txid_status($1::bigint) as status', [transaction])
        if (row?.status !== 'in progress') return row?.status === 'committed'
        await sleep(RETRY_MS)
      } catch (error) {
        if (!session.isLost()) throw error
      }
    }
  }

  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.timer(ms, resolve))

  return {
    get session() {
      return session
    },
    begin,
    async commit() {
      try {
        await command('commit')
      } catch (error) {
        if (!lost || !(await wasCommitted())) throw error
        lost = false
      } finally {
        open = false
      }
    },
    async rollback() {
      open = false
      await command('rollback')
    },
    savepoint: () => command('savepoint one'),
    release: () => command('release one'),
    undo: () => command('rollback to one; release one'),
    isOpen: () => open,
    wasLost: () => lost,
    queries: (guard) =>
      builders.transaction<Tables>({
        provideConnection(consumer) {
          guard()
          return inside(() => consumer(session))
        },
      }),
    async append(events) {
      const values = events.map((_, i) => `($${3 * i + 1}, $${3 * i + 2}, $${3 * i + 3})`).join(', ')
      const sql = `insert into journal (at, name, payload) values ${values} returning id`
      const parameters = events.flatMap(({ at, name: event, payload }) => [at, event, payload])
      const rows = await inside(() => session.rows(sql, parameters))
      return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
    },
    asError: (error) => asPostgresError(name, error),
    closing() {
      closing = true
    },
    close: () => session.close(),
  }
}

interface Writing {
  readonly session: Session
  /** As the locks name it. */
  readonly schema: string
  readonly backend: Backend
}

/** A process of the server. */
interface Backend {
  readonly pid: unknown
  readonly since: unknown
}

/** A connection that holds the store; `before` is the lost one, which the server may still believe in. */
async function openWriting({ place, shared }: WriterOptions, before?: Backend): Promise<Writing> {
  const name = nameOf(place)
  const session = await openSession(place)
  try {
    const [found] = await session.rows(
      `select current_schema() as name, hashtext(current_schema()) as key, pg_backend_pid() as pid,
        (select backend_start::text from pg_stat_activity where pid = pg_backend_pid()) as since`,
      [],
    )
    if (found?.name == null) throw storeRefused(name, 'the schema of its search path is not there')
    const schema = String(found.key)
    // At least that: what is told as stored survives a crash of the server. A server that is gone is noticed, and so is a master.
    await session.run(`
      select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
      set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3`)
    if (before !== undefined) {
      const ended = 'select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start::text = $2'
      await session.rows(ended, [before.pid, before.since])
    }
    if (!shared) {
      const lock = `select pg_advisory_lock(${OWNER}, ${schema})`
      await session.run(`set lock_timeout = '${PATIENCE}'; ${lock}; reset lock_timeout`)
    }
    return { session, schema, backend: { pid: found.pid, since: found.since } }
  } catch (error) {
    await session.close().catch(() => {}) // why it is of no use is told below
    throw asPostgresError(name, error)
  }
}
