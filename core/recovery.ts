import type { Change, Log } from 'boltbot/plugin-sdk'
import { finishBuild, interruptedBuilds } from './store/builds.ts'
import type { Store } from './store/store.ts'

export interface RecoveryDeps {
  readonly store: Store
  readonly owner: string
  readonly log: Log
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
  /** Throws when the master was told to stop. */
  readonly goOn: () => void
}

/** Builds that a killed master left behind go back to the queue. */
export async function requeueInterrupted({ store, owner, log, changesOf, goOn }: RecoveryDeps): Promise<void> {
  for (const build of await interruptedBuilds(store.db, owner, changesOf)) {
    goOn()
    log.info('build of the previous process goes back to the queue', { builder: build.builder, build: build.number })
    await finishBuild(store, build)
  }
}
