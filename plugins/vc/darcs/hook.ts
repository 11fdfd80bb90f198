import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from 'boltbot/plugin-sdk'
import { hookMisused } from '../errors.ts'
import type { HookRoom } from '../hook-room.ts'
import { createDarcs } from './darcs-process.ts'
import { createDarcsHistory } from './history.ts'

/**
 * The posthook of `apply`, `pull`, `record` and the like. Darcs names the patches in `DARCS_PATCHES`, but not when they are many: what
 * is new is asked of the repository. Its position is that of the poller.
 */
export const darcsHook: HookRoom = {
  report({ env, cwd }) {
    if (!existsSync(join(cwd, '_darcs'))) throw hookMisused('darcs', 'to be started in a repository, as a posthook is')
    const patches = [...(env.DARCS_PATCHES ?? '').matchAll(/^patch ([0-9a-f]{40})$/gm)].map((match) => match[1]!)
    return { home: join(cwd, '_darcs'), repository: cwd, event: { path: cwd, patches } satisfies Told }
  },

  async begin(path, { signal }) {
    const history = createDarcsHistory({ darcs: createDarcs('darcs'), repourl: path, repository: path, branch: null })
    return (await history.since(undefined, signal)).position
  },

  async read(events, { position, repository, branch, signal }) {
    const told = events as unknown as readonly Told[] // as given above
    const repourl = told[0]!.path
    const history = createDarcsHistory({ darcs: createDarcs('darcs'), repourl, repository, branch })
    if (position !== undefined) return history.since(position, signal)
    // The first time: all but what the hook was told is old.
    const fresh = new Set(told.flatMap(({ patches }) => patches))
    const now = (await history.since(undefined, signal)).position as readonly string[] // as it gives it
    const old = now.filter((hash) => !fresh.has(hash))
    const { commits } = await history.since(old, signal)
    return { commits: commits.filter(({ revision }) => fresh.has(revision ?? '')), position: [...now] }
  },
}

interface Told {
  readonly [name: string]: Json
  readonly path: string
  readonly patches: string[]
}
