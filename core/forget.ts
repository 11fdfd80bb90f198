import { keepCursors } from './store/journal.ts'
import { keepPollers } from './store/pollers.ts'
import { keepSchedulers } from './store/schedulers.ts'
import type { Store } from './store/store.ts'

/** What the store keeps a place for: plugins and schedulers theirs in the journal, pollers how they fared. */
export interface Named {
  readonly plugins: readonly { readonly id: string }[]
  readonly schedulers: readonly { readonly name: string }[]
  readonly pollers: readonly { readonly source: string }[]
}

/** Forgets the positions of all other plugins and schedulers, which would keep the journal for ever, and how other pollers fared. */
export async function forgetOthers(store: Store, { plugins, schedulers, pollers }: Named): Promise<void> {
  await keepCursors(
    store,
    plugins.map((plugin) => plugin.id),
  )
  await keepSchedulers(
    store,
    schedulers.map((scheduler) => scheduler.name),
  )
  await keepPollers(
    store,
    pollers.map((poller) => poller.source),
  )
}
