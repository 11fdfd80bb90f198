import { pathToFileURL } from 'node:url'
import type { History } from '../history-poller.ts'
import type { Program } from '../program.ts'
import type { Commit } from '../submit-commits.ts'
import { type BzrCommit, parseBzrLog } from './log.ts'

export interface BzrHistoryDeps {
  readonly bzr: Program
  readonly repourl: string
  readonly repository: string
  readonly branch: string | null
}

/** Its position is the number of the newest revision of the main line. */
export function createBzrHistory({ bzr, repourl: given, repository, branch }: BzrHistoryDeps): History {
  const repourl = branchOnly(given)
  return {
    repository,
    async since(position, signal) {
      const newest = Number((await bzr(['revno', '--', repourl], { signal })).toString().trim())
      if (typeof position !== 'number') return { commits: [], position: newest }
      // Somebody took revisions away: what comes in their place is new.
      if (newest <= position) return { commits: [], position: newest }
      const args = ['log', '--log-format=long', '--verbose', '--levels=1', '--forward', '--show-ids']
      const log = await bzr([...args, `--revision=${position + 1}..${newest}`, '--', repourl], { signal })
      return { commits: parseBzrLog(log.toString()).map(commitOf), position: newest }
    },
  }

  /** Where revisions were taken away, others get their numbers: only the id tells them apart. */
  function commitOf({ id, ...commit }: BzrCommit): Commit {
    return { ...commit, branch, ...(id !== null && { key: `bzr ${repository} ${id}` }) }
  }
}

/** Asked in a way that is not local, a branch is read without its tree, on which who pushes into it holds a lock. */
function branchOnly(repourl: string): string {
  if (repourl.startsWith('/')) return `readonly+${pathToFileURL(repourl).href}`
  return repourl.startsWith('file://') ? `readonly+${repourl}` : repourl
}
