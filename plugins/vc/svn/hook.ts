import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { branchTest, type Json } from 'boltbot/plugin-sdk'
import { hookMisused } from '../errors.ts'
import type { HookCommit, HookRoom, Layout } from '../hook-room.ts'
import { childrenOf, parseXml } from '../xml.ts'
import { commitsOf } from './history.ts'
import { alwaysTrunk, type SplitFile, trunkAndBranches } from './split-file.ts'
import { createSvn } from './svn-process.ts'

/**
 * The hook `post-commit REPOS REVISION`. Its position is the newest revision that was read: a revision whose hook ran late, or not at
 * all, comes before the next one.
 */
export const svnHook: HookRoom = {
  report({ args: [path, revision = ''], cwd }) {
    if (path === undefined || !/^\d+$/.test(revision)) throw hookMisused('svn', 'REPOS and REVISION as its arguments')
    const home = resolve(cwd, path)
    return { home, repository: pathToFileURL(home).href, event: { home, revision: Number(revision) } satisfies Told }
  },

  async begin(path, { signal }) {
    const found = parseXml(
      (await createSvn('svn')(['info', '--xml', pathToFileURL(path).href], { signal })).toString(),
      'svn info',
    )
    return Number(childrenOf(found, 'entry')[0]?.attributes.revision)
  },

  async read(events, { position, layout, branches, signal }) {
    const told = events as unknown as readonly Told[] // as given above
    const revisions = told.map(({ revision }) => revision)
    const newest = Math.max(...revisions)
    const from = typeof position === 'number' ? position + 1 : Math.min(...revisions)
    if (from > newest) return { commits: [] }
    const range = ['--revision', `${from}:${newest}`, `${pathToFileURL(told[0]!.home).href}@${newest}`]
    const log = await createSvn('svn')(['log', '--xml', '--verbose', ...range], { signal })
    const entries = childrenOf(parseXml(log.toString(), 'svn log'), 'logentry')
    const isWanted = branchTest(branches ?? true)
    const commits = entries.flatMap((entry) => LAYOUTS[layout](entry))
    return { commits: commits.filter(({ branch }) => isWanted(branch ?? 'trunk')), position: newest }
  },
}

interface Told {
  readonly [name: string]: Json
  readonly home: string
  readonly revision: number
}

type Entry = Parameters<typeof commitsOf>[0]

const LAYOUTS: Readonly<Record<Layout, (entry: Entry) => readonly HookCommit[]>> = {
  plain: (entry) => commitsOf(entry, '', alwaysTrunk),
  branches: (entry) => commitsOf(entry, '', trunkAndBranches),
  projects: (entry) =>
    projectsOf(entry).flatMap((project) =>
      commitsOf(entry, '', below(project)).map((commit) => ({ ...commit, project })),
    ),
}

/** Top folders that a revision touches. */
function projectsOf(entry: Entry): readonly string[] {
  const paths = childrenOf(entry, 'paths').flatMap((all) => childrenOf(all, 'path'))
  return [...new Set(paths.map(({ text }) => text.split('/')[1] ?? ''))].filter((name) => name !== '').toSorted()
}

const below =
  (project: string): SplitFile =>
  (path) =>
    path.startsWith(`${project}/`) ? trunkAndBranches(path.slice(project.length + 1)) : null
