import type { History } from '../history-poller.ts'
import type { Program } from '../program.ts'
import type { Commit } from '../submit-commits.ts'
import { childrenOf, type Element, parseXml, textOf } from '../xml.ts'

export interface DarcsHistoryDeps {
  readonly darcs: Program
  readonly repourl: string
  readonly repository: string
  readonly branch: string | null
}

/** How many patches are remembered: the newest of them may be taken away again. */
const REMEMBERED = 200

/** Its position is the list of the newest patches, the newest first. Patches have no numbers, and their order may change. */
export function createDarcsHistory({ darcs, repourl, repository, branch }: DarcsHistoryDeps): History {
  async function newest(count: number, signal: AbortSignal): Promise<readonly Element[]> {
    const args = ['log', `--repo=${repourl}`, '--xml-output', '--summary', `--max-count=${count}`]
    const xml = (await darcs(args, { signal })).toString()
    return childrenOf(parseXml(xml, 'darcs log'), 'patch')
  }

  return {
    repository,
    async since(position, signal) {
      const before = new Set((position ?? []) as readonly string[]) // as given below
      // Far enough back to meet one that is known.
      for (let count = REMEMBERED; ; count *= 4) {
        const patches = await newest(count, signal)
        const hashes = patches.map((patch) => patch.attributes.hash ?? '')
        const known = hashes.findIndex((hash) => before.has(hash))
        if (position !== undefined && known === -1 && patches.length === count) continue
        const fresh =
          position === undefined ? [] : patches.slice(0, known === -1 ? patches.length : lastNew(hashes, before))
        const commits = fresh
          .filter((patch) => !before.has(patch.attributes.hash ?? ''))
          .map((patch) => commitOf(patch, branch))
        return { commits: commits.toReversed(), position: hashes.slice(0, REMEMBERED) }
      }
    },
  }
}

/** A new patch may have been put before known ones, but not before all that are remembered. */
function lastNew(hashes: readonly string[], known: ReadonlySet<string>): number {
  return Math.max(
    0,
    hashes.findLastIndex((hash) => known.has(hash)),
  )
}

function commitOf(patch: Element, branch: string | null): Commit {
  const { author = '', date = '', hash = '' } = patch.attributes
  const comment = textOf(patch, 'comment')
    .replace(/^Ignore-this: [0-9a-f]+\s*/m, '')
    .trim()
  return {
    who: author.trim() || 'unknown',
    files: childrenOf(patch, 'summary').flatMap(({ children }) => children.flatMap(filesOf)),
    comments: [textOf(patch, 'name').trim(), comment].filter(Boolean).join('\n\n'),
    branch,
    revision: hash,
    when: timeOf(date),
  }
}

/** A move gives both names. Folders are no files. */
function filesOf(change: Element): readonly string[] {
  if (/_directory$/.test(change.name)) return []
  const { from, to } = change.attributes
  if (change.name === 'move' && from !== undefined && to !== undefined) return [from, to].map(plain)
  const name = plain(change.text)
  return name === '' ? [] : [name]
}

const plain = (path: string) => path.trim().replace(/^\.\//, '')

/** `20261121142720`, UTC. */
function timeOf(date: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(date) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) || 0
}
