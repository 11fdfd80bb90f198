import type { Store, StoredEvent, Tell } from '../../core/store/store.ts'

/** A kind of store, to be put through the suite. */
export interface StoreKind {
  readonly name: string
  open(): Promise<StoreUnderTest>
}

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store
  /** A second master's way into the same database; where there can be no second one, the same store. */
  readonly other: Store
  /** Closes both and opens the same database again. */
  reopen(): Promise<void>
}

export function lost(store: Store, ...slaves: string[]): Promise<void> {
  return store.transition('lost', async (_, tell) => {
    for (const slave of slaves) tellLost(tell, slave)
  })
}

export function tellLost(tell: Tell, slave: string): void {
  tell('slaveLost', { slave, reason: 'test' })
}

export function names(some: readonly StoredEvent[]): string[] {
  return some.flatMap((one) => (one.name === 'slaveLost' ? [one.event.slave] : []))
}
