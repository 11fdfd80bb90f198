import type { Json } from 'boltbot/plugin-sdk'
import type { History } from '../history-poller.ts'
import type { Program } from '../program.ts'
import type { Commit } from '../submit-commits.ts'
import { childrenOf, type Element, parseXml, textOf } from '../xml.ts'
import type { SplitFile } from './split-file.ts'

export interface SvnHistoryDeps {
  readonly svn: Program
  readonly svnurl: string
  readonly repository: string
  readonly splitFile: SplitFile
}

/** Its position is the number of the newest revision. */
export function createSvnHistory({ svn, svnurl, repository, splitFile }: SvnHistoryDeps): History {
  const at = (revision: string) => `${svnurl}@${revision}` // else an "@" in the address would begin a revision

  return {
    repository,
    async since(position, signal) {
      const info = parseXml((await svn(['info', '--xml', at('HEAD')], { signal })).toString(), 'svn info')
      const entry = childrenOf(info, 'entry')[0]
      const newest = Number(entry?.attributes.revision)
      if (typeof position !== 'number' || newest <= position) return { commits: [], position: keep(position, newest) }
      const [found] = entry === undefined ? [] : childrenOf(entry, 'repository')
      const root = found === undefined ? '' : textOf(found, 'root')
      const folder = decodeURIComponent((entry === undefined ? '' : textOf(entry, 'url')).slice(root.length))
      const range = `${position + 1}:${newest}`
      const log = await svn(['log', '--xml', '--verbose', '--revision', range, at(`${newest}`)], { signal })
      const entries = childrenOf(parseXml(log.toString(), 'svn log'), 'logentry')
      return { commits: entries.flatMap((one) => commitsOf(one, folder, splitFile)), position: newest }
    },
  }
}

/** A repository whose newest revision went back was made anew from an older copy: what it has from then on is new. */
function keep(position: Json | undefined, newest: number): number {
  return typeof position === 'number' ? Math.min(position, newest) : newest
}

/** A revision is a commit for each branch it touches. */
export function commitsOf(entry: Element, folder: string, splitFile: SplitFile): readonly Commit[] {
  const branches = new Map<string | null, { files: string[]; isDeleted: boolean }>()
  for (const path of childrenOf(entry, 'paths').flatMap((paths) => childrenOf(paths, 'path'))) {
    if (path.text !== folder && !path.text.startsWith(`${folder}/`)) continue
    const inside = path.text.slice(folder.length + 1)
    // A folder stands with "/" behind it, so that trunk itself is in the trunk.
    const place = splitFile(path.attributes.kind === 'dir' ? `${inside}/` : inside)
    if (place === null) continue
    const branch = branches.get(place.branch) ?? { files: [], isDeleted: false }
    branches.set(place.branch, branch)
    if (isNewFolder(path)) continue // its files are there themselves; of one that is copied or deleted they are not
    if (place.path !== '' && place.path !== '/') branch.files.push(place.path)
    else if (path.attributes.action === 'D') branch.isDeleted = true
  }
  const shared = {
    who: textOf(entry, 'author') || 'unknown',
    comments: textOf(entry, 'msg').trimEnd(),
    revision: entry.attributes.revision ?? null,
    when: Date.parse(textOf(entry, 'date')) || 0,
  }
  return [...branches]
    .filter(([, { isDeleted }]) => !isDeleted)
    .map(([branch, { files }]) => ({ ...shared, branch, files: files.toSorted() }))
}

const isNewFolder = ({ attributes }: Element) =>
  attributes.kind === 'dir' && attributes.action === 'A' && attributes['copyfrom-path'] === undefined
