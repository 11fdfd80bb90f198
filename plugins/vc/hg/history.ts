import { rm, stat } from 'node:fs/promises'
import { type Branches, branchTest, hasCode } from 'boltbot/plugin-sdk'
import { outputUnreadable } from '../errors.ts'
import type { History } from '../history-poller.ts'
import type { Program } from '../program.ts'
import type { Commit } from '../submit-commits.ts'

export interface HgHistoryDeps {
  readonly hg: Program
  readonly repourl: string
  readonly repository: string
  readonly branches: Branches
  /** Of a copy of the repository, made when it is not there. */
  readonly mirror: () => Promise<string>
}

/** Its position is the list of its heads: numbers of revisions are another copy's own affair. */
export function createHgHistory({ hg, repourl, repository, branches, mirror }: HgHistoryDeps): History {
  const isWanted = branchTest(branches)

  async function pull(path: string, signal: AbortSignal): Promise<void> {
    const there = await stat(path).then(
      () => true,
      () => false,
    )
    if (!there) return void (await hg(['clone', '--quiet', '--noupdate', '--', repourl, path], { signal }))
    try {
      await hg(['pull', '--quiet', '--repository', path, '--', repourl], { signal })
    } catch (error) {
      if (!hasCode(error, 'BOLT_VC_FAILED') || !isDamage(path).test(String(error.details.stderr))) throw error
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
      await hg(['clone', '--quiet', '--noupdate', '--', repourl, path], { signal })
    }
  }

  return {
    repository,
    watches: isWanted,
    async since(position, signal) {
      const path = await mirror()
      await pull(path, signal)
      const log = async (revisions: string, template: string) =>
        (await hg(['log', '--repository', path, '--rev', revisions, '--template', template], { signal })).toString()
      const heads = (await log('heads(all())', '{node}\\n')).split('\n').filter(Boolean).toSorted()
      const before = (position ?? heads) as readonly string[] // as given below
      if (heads.join() === before.join()) return { commits: [], position: heads }
      const known = before.map((node) => `present(${node})`).join(' + ') || 'none()'
      const lines = (await log(`sort(only(heads(all()), ${known}), rev)`, TEMPLATE)).split('\n').filter(Boolean)
      const commits = lines.map(parseCommit).filter(({ branch }) => isWanted(branch ?? ''))
      return { commits, position: heads }
    },
  }
}

/** A line for each changeset, for `parseCommit`. */
export const TEMPLATE = '{dict(node=node, branch=branch, user=user, date=date, desc=desc, files=files)|json}\\n'

export function parseCommit(line: string): Commit {
  let found: { node: string; branch: string; user: string; date: [number, number]; desc: string; files: string[] }
  try {
    found = JSON.parse(line)
  } catch {
    throw outputUnreadable('hg log', 'it is not JSON')
  }
  const { node, branch, user, date, desc, files } = found
  return { who: user, files, comments: desc, branch, revision: node, when: date[0] * 1000 }
}

/** A killed hg left half a transaction, or the copy is none. */
function isDamage(path: string): RegExp {
  const escaped = path.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
  return new RegExp(`abandoned transaction|integrity check|corrupt|repository ${escaped} not found`, 'i')
}
