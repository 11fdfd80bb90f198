import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { kill } from 'node:process'
import { branchTest, type Json } from 'boltbot/plugin-sdk'
import { hookMisused } from '../errors.ts'
import type { HookCommit, HookRoom } from '../hook-room.ts'
import { cvsDate, datedOf, groupRevisions } from './commits.ts'
import { createCvs } from './cvs-process.ts'
import { rootPath } from './cvsroot.ts'
import { type FileRevision, parseRlog } from './rlog.ts'

/** Without a process to wait for: how long after the last directory a commit is taken to be over. */
const QUIET_MS = 2000
const LONGEST_MS = 600_000
/** The time of a revision is that of its file, before the hook ran. */
const BEFORE_MS = 3_600_000

/**
 * The programs of `loginfo`: one call for each directory of a commit. What was committed is then asked of the repository, as the poller
 * asks it, so that both tell of the same commits: a change for each module (the folders at the top) and branch.
 */
export const cvsHook: HookRoom = {
  report({ args, env, now }) {
    const root = rootPath(env.CVSROOT ?? '')
    if (root === '' || args.length === 0)
      throw hookMisused('cvs', 'CVSROOT in its environment, and %I %p %{sVv} of loginfo, or %{sVv} of CVS 1.11')
    const { commitid, directory, files } = args.length === 1 ? olderFormat(args[0]!, root) : newerFormat(args)
    if (files.some(({ name }) => name === '- New directory') || /^CVSROOT(\/|$)/.test(directory)) return null
    const pid = /^\d+$/.test(env.CVS_PID ?? '') ? Number(env.CVS_PID) : null
    const event = { root, directory, commitid, files, when: now, pid } satisfies Told
    return { home: join(root, 'CVSROOT'), repository: root, event }
  },

  /** The hook runs before the commit is over; its other directories come from the same process. */
  isWhole(event, now) {
    const { pid, when } = event as unknown as Told // as given above
    if (now - when > LONGEST_MS) return true
    return pid === null ? now - when > QUIET_MS : !isAlive(pid)
  },

  async read(events, { repository, branches, signal }) {
    const told = events as unknown as readonly Told[] // as given above
    const root = told[0]!.root
    const cvs = createCvs('cvs')
    const from = `${cvsDate(Math.min(...told.map(({ when }) => when)) - BEFORE_MS)}<`
    const ask = async (directories: readonly string[], ...more: readonly string[]) => {
      if (directories.length === 0) return []
      const args = ['-f', '-R', '-Q', '-d', root, 'rlog', '-S', ...more, '-d', from, '--', ...new Set(directories)]
      return parseRlog((await cvs(args, { signal })).toString(), root)
    }
    const imports = told.filter(isImport)
    const found = [
      ...(await ask(
        told.filter((one) => !isImport(one)).map(({ directory }) => directory),
        '-l',
      )),
      ...(await ask(imports.map(({ directory }) => directory))),
    ]
    const isWanted = branchTest(branches ?? true)
    const groups = groupRevisions(found).filter(
      (group) => isWanted(group[0]!.branch ?? 'HEAD') && group.some((one) => told.some((event) => tellsOf(event, one))),
    )
    return { commits: groups.flatMap((group) => commitsOf(group, repository)) }
  },
}

interface Told {
  readonly [name: string]: Json
  /** The path of the repository. */
  readonly root: string
  readonly directory: string
  readonly commitid: string | null
  readonly files: { readonly name: string; readonly old: string; readonly next: string }[]
  readonly when: number
  /** Of the cvs that commits. */
  readonly pid: number | null
}

const isImport = ({ files }: Told) => files.some(({ name }) => name === '- Imported sources')

/** `%I %p %{sVv}` of CVS 1.12: commit id, directory, and three words for each file. */
function newerFormat([commitid = '', directory = '', ...words]: readonly string[]): Pick<
  Told,
  'commitid' | 'directory' | 'files'
> {
  const count = Math.floor(words.length / 3)
  const files = Array.from({ length: count }, (_, i) => ({
    name: words[3 * i]!,
    old: words[3 * i + 1]!,
    next: words[3 * i + 2]!,
  }))
  return { commitid: commitid || null, directory, files }
}

/** `%{sVv}` of CVS 1.11: all in one word, names with their blanks. */
function olderFormat(text: string, root: string): Pick<Told, 'commitid' | 'directory' | 'files'> {
  const words = text.split(' ')
  const isFolder = (count: number) => existsSync(join(root, ...words.slice(0, count).join(' ').split('/')))
  const length = words.map((_, i) => words.length - i).find((count) => count < words.length && isFolder(count)) ?? 1
  const listed = words.slice(length).join(' ')
  const files = [...listed.matchAll(/(.+?),(NONE|[\d.]+),(NONE|[\d.]+)(?: |$)/g)].map(
    ([, name = '', old = '', next = '']) => ({ name, old, next }),
  )
  return { commitid: null, directory: words.slice(0, length).join(' '), files }
}

/** Whether a revision of a file is of the commit that was told. */
function tellsOf(event: Told, one: FileRevision): boolean {
  if (event.commitid !== null && one.commitid !== null) return event.commitid === one.commitid
  if (isImport(event)) return one.file.startsWith(`${event.directory}/`) && /^1\.1(\.\d+\.\d+)?$/.test(one.revision)
  return event.files.some(({ name, old, next }) => {
    if (one.file !== `${event.directory}/${name}`) return false
    return next === 'NONE' ? isAfter(old, one.revision) : one.revision === next
  })
}

/** A removed file has a revision of its own, which is not told. */
function isAfter(old: string, revision: string): boolean {
  const cut = old.lastIndexOf('.') + 1
  return revision === `${old.slice(0, cut)}${Number(old.slice(cut)) + 1}` || revision.startsWith(`${old}.`)
}

function commitsOf(group: readonly FileRevision[], repository: string): readonly HookCommit[] {
  const modules = [...new Set(group.map(({ file }) => file.split('/')[0]!))]
  return modules.map((module) => {
    const { id, commit } = datedOf(
      group.filter(({ file }) => file.startsWith(`${module}/`)),
      `${module}/`,
    )
    const own = `${repository} ${module}`
    return { ...commit, repository: own, key: `cvs ${own} ${id}` }
  })
}

function isAlive(pid: number): boolean {
  try {
    return kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
