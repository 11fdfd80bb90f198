import type { KyselyPlugin } from 'kysely'
import type { Store, StoredEvent } from '../../core/store/store.ts'
import type { Life } from './life.ts'

/** What goes wrong with the transition in hand. */
export type Fault = 'refuse' | 'die before' | 'die after' | undefined

export interface MortalStoreDeps {
  readonly store: Store
  readonly life: Life
  /** Asked once per transition. */
  readonly fault: (name: string) => Fault
  /** Asked once per read: whether it fails. */
  readonly readFails: () => boolean
  /** Something happened: the world has not settled. */
  readonly touched: () => void
}

export interface MortalStore extends Store {
  /** Events of the journal, for this process. */
  deliver(events: readonly StoredEvent[]): void
}

/** What a read that fails throws. */
export class ReadFailed extends Error {
  override message = 'simulated failure of a read'
}

/**
 * The store as one process sees it. All processes of a simulation share one real store; a process that is killed at a transition
 * gets nothing back from it, and asks for nothing any more.
 */
export function createMortalStore({ store, life, fault, readFails, touched }: MortalStoreDeps): MortalStore {
  let listener: (events: readonly StoredEvent[]) => void = () => {}
  let closed = false
  const reads: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      touched()
      await life.gate()
      if (life.state === 'alive' && readFails()) throw new ReadFailed()
      return result
    },
  }

  async function transition<T>(...[name, body, how]: Parameters<Store['transition']>): Promise<T> {
    touched()
    if (life.state !== 'alive') await life.gate()
    if (closed) throw new Error(`the simulated store is closed: ${name}`)
    const wrong = fault(name)
    if (wrong === 'refuse') throw new Error(`simulated failure of ${name}`)
    if (wrong === 'die before') {
      life.die()
      return new Promise(() => {})
    }
    try {
      const value = await store.transition(
        name,
        (trx, tell) => {
          // Asked for and not begun when its process died.
          if (life.state === 'dead') throw new Error('dead')
          return body(trx, tell)
        },
        {
          ...how,
          committed() {
            if (wrong === 'die after') life.die()
            life.whenAlive(() => how?.committed?.())
          },
        },
      )
      return value as T // the caller's own type, through the parameters of the interface
    } finally {
      touched()
      await life.gate()
    }
  }

  return {
    db: store.db.withPlugin(reads),
    now: () => store.now(),
    transition: transition as Store['transition'], // as above
    onEvents(given) {
      listener = given
    },
    deliver: (events) => life.whenAlive(() => closed || listener(events)),
    async durableEvents() {
      await life.gate()
      return store.durableEvents()
    },
    // The file is the world's; it outlives the process.
    async close() {
      closed = true
    },
  }
}
