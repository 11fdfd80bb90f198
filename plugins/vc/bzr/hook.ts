import { join, resolve } from 'node:path'
import type { Json } from 'boltbot/plugin-sdk'
import { hookMisused } from '../errors.ts'
import type { HookRoom } from '../hook-room.ts'
import { createBzr } from './bzr-process.ts'
import { createBzrHistory } from './history.ts'

/**
 * What the plugin of `boltbot hook bzr --install` calls at `post_change_branch_tip`: `BRANCH OLD_REVNO NEW_REVNO`. Its position is the
 * number of the newest revision that was read.
 */
export const bzrHook: HookRoom = {
  report({ args: [path, old = '', newest = ''], cwd }) {
    if (path === undefined || !/^\d+$/.test(old) || !/^\d+$/.test(newest))
      throw hookMisused('bzr', 'BRANCH, OLD_REVNO and NEW_REVNO as its arguments')
    if (Number(newest) <= Number(old)) return null // revisions were taken away
    const home = resolve(cwd, path)
    const event = { path: home, old: Number(old), newest: Number(newest) } satisfies Told
    return { home: join(home, '.bzr'), repository: home, event }
  },

  async begin(path, { signal }) {
    const history = createBzrHistory({ bzr: createBzr('brz'), repourl: path, repository: path, branch: null })
    return (await history.since(undefined, signal)).position
  },

  async read(events, { position, repository, branch, signal }) {
    const told = events as unknown as readonly Told[] // as given above
    const history = createBzrHistory({ bzr: createBzr('brz'), repourl: told[0]!.path, repository, branch })
    const olds = told.map(({ old }) => old)
    // From the last one read on, or from further back where revisions were taken away before these came.
    const from = Math.min(...olds, ...(typeof position === 'number' ? [position] : []))
    return history.since(from, signal)
  },
}

interface Told {
  readonly [name: string]: Json
  readonly path: string
  readonly old: number
  readonly newest: number
}
