import type { Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * The one connection by which a store is written: all that {@link createTransitions} needs to know of a database. What it gives may be a
 * promise or not: SQLite answers at once.
 */
export interface Writer {
  /** Begins a transaction; nobody else writes until it ends. */
  begin(): Promise<void> | void
  /** Ends it: others see what was written. What it has to do for that to survive a power cut may be left to the transitions. */
  commit(): Promise<void> | void
  rollback(): Promise<void> | void
  /** One transition in the transaction: kept by `release`, taken back by `undo`. */
  savepoint(): Promise<void> | void
  release(): Promise<void> | void
  undo(): Promise<void> | void
  /** False as well when the database ended the transaction by itself, as a full disk or a lost connection makes it. */
  isOpen(): boolean
  /** The transaction ended because the connection was lost: nothing of it was stored, and it may be run again. */
  wasLost(): boolean
  /** Queries in the transaction; `guard` is called before each and throws when it comes too late. */
  queries(guard: () => void): Transaction<Tables>
  /** Writes events to the journal in the transaction, and gives their ids in the same order. */
  append(events: readonly NewEvent[]): readonly number[] | Promise<readonly number[]>
  /** What the database threw, as a coded error where an operator can act on it; everything else stays as it is. */
  asError(error: unknown): unknown
  /** The store is being closed: waits for a lost connection no longer. */
  closing(): void
}

export interface NewEvent {
  readonly name: string
  readonly at: number
  /** JSON. */
  readonly payload: string
}
