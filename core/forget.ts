import { keepCursors } from './store/journal.ts'
import { keepSchedulers } from './store/schedulers.ts'
import type { Store } from './store/store.ts'

/** Forgets the positions of all other plugins and schedulers: those that are gone would keep the journal for ever. */
export async function forgetOthers(
  store: Store,
  plugins: readonly { readonly id: string }[],
  schedulers: readonly { readonly name: string }[],
): Promise<void> {
  await keepCursors(
    store,
    plugins.map((plugin) => plugin.id),
  )
  await keepSchedulers(
    store,
    schedulers.map((scheduler) => scheduler.name),
  )
}
