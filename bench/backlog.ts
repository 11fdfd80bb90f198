import type { SourceStamp } from 'boltbot/plugin-sdk'
import { createBuildset } from '../core/store/buildsets.ts'
import type { Store } from '../core/store/store.ts'

const STAMP: SourceStamp = {
  branch: 'main',
  revision: null,
  repository: '',
  project: '',
  codebase: '',
  changes: [],
  patch: null,
}

/** Requests that wait: so many buildsets over all these builders. `like` says of each buildset what is not as in the others. */
export async function fillQueue(
  store: Store,
  builders: readonly string[],
  count: number,
  like: (buildset: number) => { readonly priority?: number; readonly mergeKey?: string } = () => ({}),
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { priority = 0, mergeKey = null } = like(i)
    await createBuildset(store, {
      builders: builders.map((name) => ({ name, mergeKey })),
      sourceStamp: STAMP,
      reason: 'bench',
      properties: {},
      priority,
      scheduler: null,
      owner: null,
      key: null,
      stableMs: null,
      externalId: null,
    })
  }
}
