import type { HookEvent, StoredHook } from 'boltbot/plugin-sdk'
import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * The truth. Every change of state is a *transition*: one function in this folder, one transaction, its events in the journal.
 *
 * Contract:
 * - Transitions run one after the other, each in a savepoint of its own; those asked for in one tick share a commit. A body that
 *   throws is rolled back alone.
 * - A body awaits nothing but queries on its own `trx`, and touches no memory, hook or socket: those come after, from what it
 *   returned.
 * - The promise of a transition resolves when it is durable (synced to disk). Before that, `onEvents` has been called with its
 *   events, in journal order.
 * - `committed` is called as soon as the transition is committed, some time before it is durable: for giving back in memory what
 *   only transitions after this one can take again, as these become durable later. It must not throw.
 * - `db` reads what is committed; never write through it.
 */
export interface Store {
  readonly db: Kysely<Tables>
  /** Clock time by the database; one clock for all masters that share it. */
  now(): number
  transition<T>(name: string, body: (trx: Transaction<Tables>, tell: Tell) => Promise<T>, how?: How): Promise<T>
  /** Called after each commit with the events of it. There is one listener, set before the first transition. */
  onEvents(listener: (events: readonly StoredEvent[]) => void): void
  /** Events up to this id are durable. `db` may show later ones, which a power cut could still take back: journal.ts stops here. */
  durableEvents(): Promise<number>
  /** Waits for transitions under way, closes the files. */
  close(): Promise<void>
}

/** How a transition is waited for. */
export interface How {
  /** See {@link Store}. */
  readonly committed?: (() => void) | undefined
  /** Nobody's next move waits for it to be durable: it may share the sync of one that is waited for. */
  readonly patient?: boolean
  /** Of a plugin, or only told: while builds are recorded it waits a moment for one of their syncs, and begins none that theirs would wait behind. */
  readonly sparing?: boolean
}

/** Appends an event to the journal, in the transaction; `eventId` and `at` are filled in. */
export type Tell = <Name extends StoredHook>(name: Name, payload: Omit<HookEvent<Name>, 'eventId' | 'at'>) => void

/** An event of the journal: name and payload. */
export type StoredEvent = { [Name in StoredHook]: { readonly name: Name; readonly event: HookEvent<Name> } }[StoredHook]
