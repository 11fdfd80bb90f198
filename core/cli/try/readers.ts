import { treeMoved } from '../errors.ts'
import { deletion, textOnly, withRenames, withTreePaths } from './patches.ts'
import type { Kind, RunTool, TreeReader } from './tree-reader.ts'

/** Against what the branch shares with its upstream, so that commits of one's own are part of the patch. */
const git: TreeReader = async (run, { branch, baseRevision }) => {
  const upstream = await run.maybe(['rev-parse', '--abbrev-ref', '--symbolic-full-name', '@{upstream}'])
  const origin = upstream ?? (await run.maybe(['rev-parse', '--abbrev-ref', 'origin/HEAD']))
  const own = await run.maybe(['symbolic-ref', '--quiet', '--short', 'HEAD'])
  const shared = origin === null ? null : await run.maybe(['merge-base', 'HEAD', origin])
  const revision = baseRevision ?? shared ?? (await run.text(['rev-parse', 'HEAD']))
  const remote = origin === null ? null : await remoteOf(run, origin)
  return {
    branch: branch ?? (remote !== null && origin !== null ? origin.slice(remote.length + 1) : own),
    revision,
    level: 1,
    patch: await run.bytes([
      ...['diff', '--binary', '--full-index', '--no-color', '--no-ext-diff', '--no-textconv'],
      ...['--src-prefix=a/', '--dst-prefix=b/', revision, '--'],
    ]),
  }
}

async function remoteOf(run: RunTool, ref: string): Promise<string | null> {
  const remotes = (await run.text(['remote'])).split('\n')
  return remotes.find((name) => name !== '' && ref.startsWith(`${name}/`)) ?? null
}

/** Against the newest ancestor that others have: changesets that are not public are part of the patch. */
const hg: TreeReader = async (run, { branch, baseRevision }) => {
  const publicOne = await run.maybe(['log', '-r', 'last(ancestors(.) and public())', '--template', '{node}'])
  const parent = async () => (await run.text(['parents', '--template', '{node}\\n'])).split('\n')[0]!
  const revision = baseRevision ?? (publicOne || (await parent()))
  const patch = await run.bytes(['diff', '--git', '-r', revision])
  return { branch: branch ?? (await run.text(['branch'])), revision, level: 1, patch }
}

/** Files that were moved go as new ones: `patch` knows no other way. */
const svn: TreeReader = async (run, { branch, baseRevision }) => {
  const revision = baseRevision ?? (await run.text(['info', '--show-item', 'revision']))
  const place = await run.maybe(['info', '--show-item', 'relative-url'])
  const patch = await run.bytes(['diff', '--show-copies-as-adds', '-r', revision])
  const own = /(?:^|\/)(branches\/[^/]+)(?:\/|$)/.exec(decodeURIComponent(place ?? ''))?.[1] ?? null
  return { branch: branch ?? own, revision, level: 0, patch: textOnly('svn', patch) }
}

/** Its revisions are lists of all patches. A change within the second of the last one is seen only when times are ignored. */
const darcs: TreeReader = async (run, { branch, baseRevision }) => {
  const revision = baseRevision ?? (await run.text(['log', '--context']))
  const patch = await run.bytes(['diff', '-u', '--ignore-times'], [1])
  return { branch: branch ?? null, revision, level: 1, patch: textOnly('darcs', patch) }
}

const bzr: TreeReader = async (run, { branch, baseRevision }) => {
  const revision = baseRevision ?? `revid:${(await run.text(['revision-info', '--tree'])).split(/\s+/).at(-1)!}`
  const patch = textOnly('bzr', await run.bytes(['diff', '--prefix=a/:b/', '-r', revision], [1]))
  return { branch: branch ?? null, revision, level: 1, patch: withRenames(patch) }
}

/** It has no revisions of trees: the time stands for one. */
const cvs: TreeReader = async (run, { branch, baseRevision }) => {
  const now = new Date().toISOString().replace('T', ' ').replace(/\..*/, ' +0000')
  const revision = baseRevision ?? now
  const patch = await run.bytes(['-q', 'diff', '-u', '-N', '-D', revision], [1])
  const sticky = await run.maybe(['-q', 'status', '-l'])
  const own = /^ +Sticky Tag:\s+(\S+) \(branch: /m.exec(sticky ?? '')?.[1] ?? null
  return { branch: branch ?? own, revision, level: 0, patch: textOnly('cvs', patch) }
}

/** Its version is the branch, the last part of its newest patch the revision. Its diffs leave removed files out. */
const tla: TreeReader = async (run, { branch, baseRevision }) => {
  const newest = (await run.text(['logs', '--full', '--reverse'])).split('\n')[0]!
  const [, version = null, last = null] = /^(?:.*\/)?(.*)--(.*?)$/.exec(newest) ?? []
  const said = textOnly('tla', await run.bytes(['changes', '--diffs', '--unescaped'], [1]))
  const listed = Buffer.from(said).toString().split('\n\n')[0]!
  const moved = /^=> +(\S.*)$/m.exec(listed)?.[1]
  if (moved !== undefined) throw treeMoved('tla', moved.replace('\t', ' => '))
  const parts = [withTreePaths(said)]
  for (const [, name = ''] of listed.matchAll(/^D {2}(.*)$/gm))
    parts.push(deletion(name, run.file(await run.text(['file-find', '--unescaped', name]))))
  return { branch: branch ?? version, revision: baseRevision ?? last, level: 1, patch: Buffer.concat(parts) }
}

export const readers: Readonly<Record<Kind, TreeReader>> = { git, hg, svn, darcs, bzr, cvs, tla }
