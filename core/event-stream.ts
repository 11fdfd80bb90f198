import type { EventId } from 'boltbot/plugin-sdk'
import { journalHead, readEvents } from './store/journal.ts'
import type { Store, StoredEvent } from './store/store.ts'

/** The journal as it grows, for those who watch from outside the process. */
export interface EventStream {
  /** Every event after one, then each that comes, until `signal` aborts. `null`: from now on. */
  follow(after: EventId | null, signal: AbortSignal): AsyncGenerator<StoredEvent>
  /** Events were committed: followers look. */
  deliver(): void
}

const BATCH = 200

export function createEventStream(store: Store): EventStream {
  let stir = Promise.withResolvers<void>()
  return {
    deliver() {
      stir.resolve()
      stir = Promise.withResolvers()
    },
    async *follow(after, signal) {
      const { promise: over, resolve } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => resolve(), { once: true })
      let last = after ?? (await journalHead(store))
      while (!signal.aborted) {
        const next = stir.promise // taken before reading: what comes meanwhile is not missed
        const events = await readEvents(store, { after: last, limit: BATCH })
        for (const one of events) {
          yield one
          last = one.event.eventId
        }
        if (events.length === 0) await Promise.race([next, over])
      }
    },
  }
}
