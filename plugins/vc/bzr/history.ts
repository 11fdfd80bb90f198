import type { History } from '../history-poller.ts'
import type { Program } from '../program.ts'
import { parseBzrLog } from './log.ts'

export interface BzrHistoryDeps {
  readonly bzr: Program
  readonly repourl: string
  readonly repository: string
  readonly branch: string | null
}

/** Its position is the number of the newest revision of the main line. */
export function createBzrHistory({ bzr, repourl, repository, branch }: BzrHistoryDeps): History {
  return {
    repository,
    async since(position, signal) {
      const newest = Number((await bzr(['revno', '--', repourl], { signal })).toString().trim())
      if (typeof position !== 'number') return { commits: [], position: newest }
      // Somebody took revisions away: what comes in their place is new.
      if (newest <= position) return { commits: [], position: newest }
      const args = ['log', '--log-format=long', '--verbose', '--levels=1', '--forward']
      const log = await bzr([...args, `--revision=${position + 1}..${newest}`, '--', repourl], { signal })
      return { commits: parseBzrLog(log.toString()).map((commit) => ({ ...commit, branch })), position: newest }
    },
  }
}
