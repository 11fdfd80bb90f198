import type { CiError, Clock, Log } from 'boltbot/plugin-sdk'
import type { Transaction } from 'kysely'
import { createClock } from '../clock.ts'
import { storeClosed, storeSyncFailed, transactionOver, transitionStuck } from './errors.ts'
import type { Store, StoredEvent, Tell } from './store.ts'
import { createSyncs } from './syncs.ts'
import type { Tables } from './tables.ts'
import type { Writer } from './writer.ts'

export interface Transitions extends Pick<Store, 'transition' | 'onEvents' | 'durableEvents'> {
  /** Resolves when no transaction is open: readers on the same connection wait for it. */
  settled(): Promise<void> | undefined
  close(): Promise<void>
}

export interface TransitionsDeps {
  readonly writer: Writer
  /** How people call the store. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Makes all that was committed before the call survive a power cut; `null`: nothing is left to be done for that. */
  readonly sync: (() => Promise<void>) | null
  /** See `OpenOptions`. */
  readonly broken?: ((error: CiError) => void) | undefined
  /** Events up to this id are durable at the start. */
  readonly durable: number
}

/** One commit never takes more: between two, sockets and readers get their turn. */
const BATCH = 16
const STUCK_MS = 10_000
/** A transition in which the connection is lost again and again may be what breaks it. */
const RUNS = 5

/**
 * The engine under {@link Store.transition}, on one connection.
 *
 * A transition passes four places:
 * - *asked*: in the queue. The first one wakes the pump at the end of the tick. Bodies await only queries, which take
 *   microtasks and no turn of the event loop in SQLite, so what is asked meanwhile joins the same transaction.
 * - *done*: its body ended, in a savepoint of its own, its events are in the journal.
 * - *committed*: written to the WAL, not synced. The pump goes on with the next batch at once.
 * - *durable*: a sync that began after the commit ended, see {@link createSyncs}. Its events are told, its promise resolves.
 */
export function createTransitions(deps: TransitionsDeps): Transitions {
  const { writer, clock, log } = deps
  const asked: Asked[] = []
  const syncs =
    deps.sync && createSyncs<Batch>({ time: createClock(log), sync: deps.sync, durable: deliver, failed: breakDown })
  let listener: (events: readonly StoredEvent[]) => void = () => {}
  let pumping: Promise<void> | undefined
  let open: PromiseWithResolvers<void> | undefined
  let durable = deps.durable
  let closed = false
  let broken: unknown

  async function pump(): Promise<void> {
    // Lets the tick go on: what it asks for shares the commit.
    await undefined
    while (asked.length > 0) {
      open = Promise.withResolvers()
      const batch = await runBatch()
      for (const one of batch.done) tellCommitted(one)
      for (const refuse of batch.refused) refuse()
      if (batch.done.length > 0) settle(batch)
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

  /** One transaction. What could not be committed is refused, or asked for again when its connection was lost. */
  async function runBatch(): Promise<Batch> {
    const batch: Batch = { done: [], refused: [], events: [], patient: true, sparing: true }
    const taken: Asked[] = []
    try {
      await writer.begin()
    } catch (error) {
      rejectAll(asked.splice(0), writer.asError(error))
      return batch
    }
    try {
      while (taken.length < BATCH && asked.length > 0) {
        taken.push(asked.shift()!)
        await runOne(taken.at(-1)!, batch)
      }
      await writer.commit()
      return batch
    } catch (error) {
      // A full disk may have rolled it back already.
      if (writer.isOpen()) await writer.rollback()
      if (writer.wasLost()) runAgain(taken, error)
      else {
        rejectAll(batch.done, writer.asError(error))
        for (const refuse of batch.refused) refuse()
      }
      return { ...batch, done: [], refused: [] }
    }
  }

  function runAgain(taken: readonly Asked[], error: unknown): void {
    for (const one of taken) one.runs++
    const isHopeless = (one: Asked) => one.runs >= RUNS
    rejectAll(taken.filter(isHopeless), writer.asError(error))
    asked.unshift(...taken.filter((one) => !isHopeless(one)))
  }

  async function runOne(one: Asked, batch: Batch): Promise<void> {
    let over = false
    const trx = writer.queries(() => {
      // Also when the database itself ended the transaction: a query now would be a transaction of its own.
      if (over || !writer.isOpen()) throw transactionOver(one.name)
    })
    const told: Told[] = []
    const tell: Tell = (name, payload) => {
      if (over) throw transactionOver(one.name)
      told.push({ name, at: clock.now(), payload })
    }
    try {
      await writer.savepoint()
      const value = await withinDeadline(one.name, one.body(trx, tell))
      over = true
      const events = told.length === 0 ? [] : await append(told)
      await writer.release()
      batch.events.push(...events)
      batch.patient &&= one.patient
      batch.sparing &&= one.sparing
      batch.done.push({ resolve: () => one.resolve(value), reject: one.reject, committed: one.committed })
    } catch (error) {
      over = true
      if (!writer.wasLost()) batch.refused.push(() => one.reject(writer.asError(error)))
      // Then all of this batch is gone.
      if (!writer.isOpen()) throw error
      await writer.undo()
    }
  }

  /** Their rows in the journal; the ids are known from here on. */
  async function append(told: readonly Told[]): Promise<readonly StoredEvent[]> {
    const rows = told.map(({ name, at, payload }) => ({ name, at, payload: JSON.stringify(payload) }))
    const ids = await writer.append(rows)
    // Tell took only payloads that fit their name; the compiler does not follow that through the union.
    return told.map(
      ({ name, at, payload }, i) => ({ name, event: { ...payload, eventId: ids[i]!, at } }) as unknown as StoredEvent,
    )
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
    else if (syncs === null) deliver(batch)
    else syncs.add(batch)
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
  function breakDown(error: unknown, lost: readonly Batch[]): void {
    if (broken === undefined) {
      const why = storeSyncFailed(deps.name, error)
      broken = why
      if (deps.broken) deps.broken(why)
      else log.error('store sync failed', { error: why })
    }
    for (const batch of lost) rejectAll(batch.done, broken)
    rejectAll(asked.splice(0), broken)
  }

  return {
    transition(name, body, { committed, patient = false, sparing = false } = {}) {
      if (closed || broken !== undefined) return Promise.reject(broken ?? storeClosed(name))
      return new Promise((resolve, reject) => {
        // What `body` gives is what `resolve` takes; the queue holds transitions of every type.
        const settle = { resolve: resolve as (value: unknown) => void, reject }
        asked.push({ name, body, ...settle, committed, patient: patient || sparing, sparing, runs: 0 })
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
      writer.closing()
      await pumping
      await syncs?.close()
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
  readonly sparing: boolean
  /** How often it was begun and its connection lost. */
  runs: number
}

interface Told {
  readonly name: string
  readonly at: number
  readonly payload: object
}

interface Batch {
  readonly done: { resolve(): void; reject(reason: unknown): void; readonly committed: Asked['committed'] }[]
  /** Tells those whose body threw. */
  readonly refused: (() => void)[]
  readonly events: StoredEvent[]
  /** All of it is. */
  patient: boolean
  sparing: boolean
}
