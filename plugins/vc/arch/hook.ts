import { homedir } from 'node:os'
import { join } from 'node:path'
import { branchTest, type Json } from 'boltbot/plugin-sdk'
import { hookMisused } from '../errors.ts'
import type { HookRoom } from '../hook-room.ts'
import type { Commit } from '../submit-commits.ts'
import { parseArchiveLog } from './archive-log.ts'
import { createTla } from './tla-process.ts'

/** What `~/.arch-params/hook` passes on: tla calls it with the name of the event, `ARCH_ARCHIVE` and `ARCH_REVISION`. */
export const archHook: HookRoom = {
  report({ args: [event], env }) {
    if (event === undefined) throw hookMisused('arch', 'the arguments of ~/.arch-params/hook')
    if (!['commit', 'import', 'tag'].includes(event)) return null
    const { ARCH_ARCHIVE: archive, ARCH_REVISION: revision } = env
    if (!archive || !revision) throw hookMisused('arch', 'ARCH_ARCHIVE and ARCH_REVISION in its environment')
    const home = join(env.HOME ?? homedir(), '.arch-params')
    return { home, repository: archive, event: { archive, revision } satisfies Told }
  },

  async read(events, { branches, signal }) {
    const told = events as unknown as readonly Told[] // as given above
    const tla = createTla('tla')
    const isWanted = branchTest(branches ?? true)
    const commits: Commit[] = []
    for (const { archive, revision } of told) {
      const log = (await tla(['cat-archive-log', `${archive}/${revision}`], { signal })).toString()
      commits.push({ ...parseArchiveLog(log) })
    }
    return { commits: commits.filter(({ branch }) => isWanted(branch ?? '')) }
  },
}

interface Told {
  readonly [name: string]: Json
  readonly archive: string
  readonly revision: string
}
