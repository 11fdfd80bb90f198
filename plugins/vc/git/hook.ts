import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { branchTest, type Json } from 'boltbot/plugin-sdk'
import { hookMisused } from '../errors.ts'
import type { HookReading, HookRoom } from '../hook-room.ts'
import { readCommits } from './commits.ts'
import { createGit, type Git } from './git-process.ts'
import { isTag, parseHeads, tagName } from './heads.ts'
import { createMirror, type Mirror } from './mirror.ts'
import { newRevisions } from './new-revisions.ts'

/**
 * The hook `post-receive`: a line `OLD NEW REF` of its input for each ref that was pushed. What is new is found as the poller finds
 * it, so both tell of the same commits. Its position is the heads of the wanted branches as of the last push that was read.
 */
export const gitHook: HookRoom = {
  report({ env, cwd, stdin }) {
    const text = stdin()
    const updates = text.split('\n').flatMap((line) => {
      const [, old, head, ref] = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs\/.+)$/.exec(line) ?? []
      return old === undefined || head === undefined || ref === undefined ? [] : [{ old, head, ref }]
    })
    if (updates.length === 0 && text.trim() === '') return null
    if (updates.length === 0) throw hookMisused('git', 'lines "OLD NEW REF" as its input: it is a post-receive hook')
    const home = gitDirectory(cwd, env.GIT_DIR)
    const repository = basename(home) === '.git' ? dirname(home) : home
    return { home, repository, event: { home, updates } satisfies Push }
  },

  async begin(path, how) {
    return Object.fromEntries(await headsNow(createGit('git'), gitDirectory(path, undefined), how))
  },

  async read(events, how) {
    const pushes = events as unknown as readonly Push[] // as given above
    const home = pushes[0]!.home
    const git = createGit('git')
    const mirror = createMirror({ git, path: home, repourl: home })
    const heads = await headsBefore(git, pushes, how)
    const commits = []
    for (const { old, head, ref } of pushes.flatMap(({ updates }) => updates)) {
      const [name = ''] = parseHeads(`${head}\t${ref}`).keys()
      if (!isWanted(name, how)) continue
      const stood = heads.get(name)
      if (await isLate(mirror, { old, head, stood }, how.signal)) continue
      if (isNone(head)) {
        heads.delete(name)
        continue
      }
      const tip = isTag(name) ? await commitOf(git, home, head, how.signal) : head
      if (tip === undefined) continue // a tag of something else
      const before = stood ?? (isNone(old) ? undefined : old)
      if (before !== undefined) heads.set(name, before)
      const asked = { head: tip, old: before, heads: heads.values() }
      const revisions = isTag(name) ? [tip] : await newRevisions(mirror, asked, how.signal, () => {})
      for (const commit of await readCommits(mirror, revisions, how.signal)) commits.push({ ...commit, branch: name })
      heads.set(name, tip)
    }
    return { commits, position: Object.fromEntries(heads) }
  },
}

interface Push {
  readonly [name: string]: Json
  readonly home: string
  readonly updates: { readonly old: string; readonly head: string; readonly ref: string }[]
}

const isNone = (hash: string) => /^0+$/.test(hash)

/** A push whose hook ran behind that of a later one: all of it is told already. */
async function isLate(
  mirror: Mirror,
  { old, head, stood }: { readonly old: string; readonly head: string; readonly stood: string | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  if (stood === undefined || stood === old) return false
  if (isNone(head)) return true
  return (await mirror.known([stood], signal)).has(stood) && (await mirror.commits(head, [stood], signal)).length === 0
}

function gitDirectory(cwd: string, given: string | undefined): string {
  if (given !== undefined) return resolve(cwd, given)
  return existsSync(join(cwd, '.git')) ? join(cwd, '.git') : cwd
}

/** The first time, what the repository has now, with the pushes undone. */
async function headsBefore(git: Git, pushes: readonly Push[], how: HookReading): Promise<Map<string, string>> {
  if (how.position !== undefined) return new Map(Object.entries(how.position as Record<string, string>)) // as given above
  const heads = await headsNow(git, pushes[0]!.home, how)
  for (const { old, ref } of pushes.flatMap(({ updates }) => updates).toReversed())
    for (const name of parseHeads(`${old}\t${ref}`).keys())
      if (isNone(old) || isTag(name) || !isWanted(name, how)) heads.delete(name)
      else heads.set(name, old)
  return heads
}

type Wanted = Pick<HookReading, 'branches' | 'tags'>

async function headsNow(
  git: Git,
  gitDir: string,
  how: Wanted & Pick<HookReading, 'signal'>,
): Promise<Map<string, string>> {
  const format = '--format=%(objectname)%09%(refname)'
  const listed = await git(['for-each-ref', format, 'refs/heads/'], { gitDir, signal: how.signal })
  return new Map([...parseHeads(listed.toString())].filter(([name]) => isWanted(name, how)))
}

/** Tags only when they are asked for; refs of other kinds (notes, merge requests) never. */
function isWanted(name: string, { branches, tags }: Wanted): boolean {
  if (isTag(name)) return branchTest(tags ?? [])(tagName(name))
  return !name.startsWith('refs/') && branchTest(branches ?? true)(name)
}

async function commitOf(git: Git, gitDir: string, hash: string, signal: AbortSignal): Promise<string | undefined> {
  const asked = `${hash}^{commit}\n`
  const said = (
    await git(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { gitDir, signal, stdin: asked })
  ).toString()
  return /^(\S+) commit$/m.exec(said)?.[1]
}
