import type { Distributor } from './distributor.ts'
import type { HookRunner } from './hooks.ts'
import type { PluginHost } from './plugin-host.ts'
import type { Store, StoredEvent } from './store/store.ts'

/** Parts that hear of all that is stored, in the order given. */
export interface Listeners {
  readonly hooks: Pick<HookRunner, 'tell'>
  readonly plugins: Pick<PluginHost, 'wake'>
  readonly followers: readonly { deliver(events: readonly StoredEvent[]): void }[]
  readonly distributor: Pick<Distributor, 'wake'>
}

/** Tells each commit's events: plugins first, then core, then the builders whose queue changed. */
export function tellAll(store: Store, { hooks, plugins, followers, distributor }: Listeners): void {
  store.onEvents((events) => {
    for (const { name, event } of events) hooks.tell(name, event as never) // name and event are a pair of the journal
    plugins.wake(events)
    for (const follower of followers) follower.deliver(events)
    for (const { name, event } of events) {
      // A cancelled one may have kept a place in the row for a lock.
      if (name === 'requestQueued' || name === 'requestCancelled') distributor.wake(event.builder)
    }
  })
}
