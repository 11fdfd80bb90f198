import type { Clock, Log } from 'boltbot/plugin-sdk'
import type { Transaction } from 'kysely'
import { asStoreError, storeClosed, storeSyncFailed, transactionOver, transitionStuck } from './errors.ts'
import { createTransaction, type SqliteConnection } from './sqlite-dialect.ts'
import type { Store, StoredEvent, Tell } from './store.ts'
import type { Tables } from './tables.ts'

export interface Transitions extends Pick<Store, 'transition' | 'onEvents' | 'durableEvents'> {
  /** Resolves when no transaction is open: readers on the same connection wait for it. */
  settled(): Promise<void> | undefined
  close(): Promise<void>
}

export interface TransitionsDeps {
  readonly connection: SqliteConnection
  readonly file: string
  readonly clock: Clock
  readonly log: Log
  /** Makes all that was committed before the call survive a power cut; `null`: nothing to be done (in memory). */
  readonly sync: (() => Promise<void>) | null
  /** Events up to this id are durable at the start. */
  readonly durable: number
}

/** One commit never takes more: between two, sockets and readers get their turn. */
const BATCH = 16
/** Syncs under way at once: a commit need not wait for the end of a sync that began before it. The pool has four threads. */
const SYNCS = 3
const STUCK_MS = 10_000

/**
 * The engine under {@link Store.transition}, on one connection.
 *
 * A transition passes four places:
 * - *asked*: in the queue. The first one wakes the pump at the end of the tick. Bodies await only queries, which take
 *   microtasks and no turn of the event loop, so what is asked meanwhile joins the same transaction.
 * - *done*: its body ended, in a savepoint of its own, its events are in the journal.
 * - *committed*: written to the WAL, not synced. The pump goes on with the next batch at once.
 * - *durable*: a sync that began after the commit ended. Its events are told, its promise resolves. Syncs run in the thread
 *   pool; one covers every commit before it. They settle in the order they began, so events keep theirs. Patient ones begin none
 *   beside another: the places are left to what is waited for.
 */
export function createTransitions(deps: TransitionsDeps): Transitions {
  const { connection, clock, log, sync } = deps
  const { database } = connection
  const asked: Asked[] = []
  const committed: Batch[] = []
  const syncs: Sync[] = []
  const insertEvent = database.prepare('insert into journal (at, name, payload) values (?, ?, ?)')
  let listener: (events: readonly StoredEvent[]) => void = () => {}
  let pumping: Promise<void> | undefined
  let open: PromiseWithResolvers<void> | undefined
  let idle: PromiseWithResolvers<void> | undefined
  let durable = deps.durable
  let closed = false
  let broken: unknown

  async function pump(): Promise<void> {
    // Lets the tick go on: what it asks for shares the commit.
    await undefined
    while (asked.length > 0) {
      open = Promise.withResolvers()
      const batch: Batch = { done: [], events: [], patient: true }
      try {
        await runBatch(batch)
        for (const one of batch.done) tellCommitted(one)
        if (batch.done.length > 0) settle(batch)
      } catch (error) {
        rejectAll(batch.done, asStoreError(deps.file, error))
      }
      open.resolve()
      open = undefined
      if (asked.length > 0) await new Promise((resolve) => setImmediate(resolve))
    }
    pumping = undefined
  }

  /** What was committed stays so, whatever its caller makes of it. */
  function tellCommitted({ committed }: Pick<Asked, 'committed'>): void {
    try {
      committed?.()
    } catch (error) {
      log.error('commit listener failed', { error })
    }
  }

  async function runBatch(batch: Batch): Promise<void> {
    try {
      connection.command('begin immediate')
    } catch (error) {
      rejectAll(asked.splice(0), asStoreError(deps.file, error))
      return
    }
    try {
      for (let count = 0; count < BATCH && asked.length > 0; count++) await runOne(asked.shift()!, batch)
      connection.command('commit')
    } catch (error) {
      // A full disk may have rolled it back already.
      if (database.isTransaction) connection.command('rollback')
      throw error
    }
  }

  async function runOne(one: Asked, batch: Batch): Promise<void> {
    let over = false
    const trx = createTransaction<Tables>(connection, {
      // Also when SQLite itself ended the transaction (full disk): a query now would be a transaction of its own.
      provideConnection: async (consumer) => {
        if (over || !database.isTransaction) throw transactionOver(one.name)
        return consumer(connection)
      },
    })
    const told: Told[] = []
    const tell: Tell = (name, payload) => {
      if (over) throw transactionOver(one.name)
      told.push({ name, at: clock.now(), payload })
    }
    connection.command('savepoint one')
    try {
      const value = await withinDeadline(one.name, one.body(trx, tell))
      const events = told.map(append)
      connection.command('release one')
      batch.events.push(...events)
      batch.patient &&= one.patient
      batch.done.push({ resolve: () => one.resolve(value), reject: one.reject, committed: one.committed })
    } catch (error) {
      one.reject(asStoreError(deps.file, error))
      // Then all of this batch is gone.
      if (!database.isTransaction) throw error
      connection.command('rollback to one')
      connection.command('release one')
    } finally {
      over = true
    }
  }

  /** Its row in the journal; the id is known from here on. */
  function append({ name, at, payload }: Told): StoredEvent {
    const eventId = Number(insertEvent.run(at, name, JSON.stringify(payload)).lastInsertRowid)
    // Tell took only payloads that fit their name; the compiler does not follow that through the union.
    return { name, event: { ...payload, eventId, at } } as unknown as StoredEvent
  }

  /** A body that awaits something else than its own queries must not stop every other transition for good. */
  function withinDeadline<T>(name: string, running: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: Disposable | undefined
      // Queries end within the turn, so the timer is hardly ever made.
      const turn = setImmediate(() => {
        timer = clock.timer(STUCK_MS, () => reject(transitionStuck(name)))
      })
      const end = () => {
        clearImmediate(turn)
        timer?.[Symbol.dispose]()
      }
      running.then(
        (value) => {
          end()
          resolve(value)
        },
        (error) => {
          end()
          reject(error)
        },
      )
    })
  }

  function settle(batch: Batch): void {
    if (broken !== undefined) rejectAll(batch.done, broken)
    else if (sync === null) deliver(batch)
    else {
      committed.push(batch)
      startSync(sync)
    }
  }

  function startSync(run: () => Promise<void>): void {
    const most = committed.every((batch) => batch.patient) ? 1 : SYNCS
    if (committed.length === 0 || syncs.length >= most) return
    const one: Sync = { batches: committed.splice(0), ended: false }
    syncs.push(one)
    run().then(() => {
      one.ended = true
      while (syncs[0]?.ended) syncs.shift()!.batches.forEach(deliver)
      startSync(run)
      if (syncs.length === 0) idle?.resolve()
    }, breakDown)
  }

  function deliver(batch: Batch): void {
    const last = batch.events.at(-1)
    if (last !== undefined) {
      durable = last.event.eventId
      try {
        listener(batch.events)
      } catch (error) {
        log.error('event listener failed', { error })
      }
    }
    for (const one of batch.done) one.resolve()
  }

  /** After a failed sync nobody knows what is on the disk (a second sync may succeed without it): nothing more is promised. */
  function breakDown(error: unknown): void {
    if (broken === undefined) {
      broken = storeSyncFailed(deps.file, error)
      log.error('store sync failed', { error: broken })
    }
    for (const batch of [...syncs.splice(0).flatMap((one) => one.batches), ...committed.splice(0)]) {
      rejectAll(batch.done, broken)
    }
    rejectAll(asked.splice(0), broken)
    idle?.resolve()
  }

  return {
    transition(name, body, { committed, patient = false } = {}) {
      if (closed || broken !== undefined) return Promise.reject(broken ?? storeClosed(name))
      return new Promise((resolve, reject) => {
        // What `body` gives is what `resolve` takes; the queue holds transitions of every type.
        asked.push({ name, body, resolve: resolve as (value: unknown) => void, reject, committed, patient })
        pumping ??= pump()
      })
    },
    onEvents(given) {
      listener = given
    },
    durableEvents: async () => durable,
    settled: () => open?.promise,
    async close() {
      closed = true
      await pumping
      if (syncs.length === 0) return
      idle = Promise.withResolvers()
      await idle.promise
    },
  }
}

function rejectAll(waiting: readonly Pick<Asked, 'reject'>[], reason: unknown): void {
  for (const one of waiting) one.reject(reason)
}

interface Asked {
  readonly name: string
  readonly body: (trx: Transaction<Tables>, tell: Tell) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  readonly committed: (() => void) | undefined
  readonly patient: boolean
}

interface Told {
  readonly name: string
  readonly at: number
  readonly payload: object
}

interface Batch {
  readonly done: { resolve(): void; reject(reason: unknown): void; readonly committed: Asked['committed'] }[]
  readonly events: StoredEvent[]
  /** All of it is. */
  patient: boolean
}

interface Sync {
  readonly batches: readonly Batch[]
  ended: boolean
}
