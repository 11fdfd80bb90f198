import type { Store } from './store.ts'

/** Events about the master itself: no table of their own, only the journal. */

export const configApplied = (store: Store, hash: string, changes: readonly string[]): Promise<void> =>
  store.transition('configApplied', async (_trx, tell) => tell('configApplied', { hash, changes }))

export const configRejected = (store: Store, problems: readonly string[]): Promise<void> =>
  store.transition('configRejected', async (_trx, tell) => tell('configRejected', { problems }))
