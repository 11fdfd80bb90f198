import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RealRepository } from '../../plugins/vc/real-repositories.ts'

/** What a change must say of a commit. */
export interface Expected {
  readonly comments: string
  readonly files: readonly string[]
}

/** A history with a new file of many letters, a rename, a deletion, a commit that changes nothing and a merge, as each system has them. */
export type History = (repository: RealRepository) => Promise<readonly Expected[]>

const NEW = 'src/grün ß 日本.c'
const MOVED = 'src/neu ü.c'

const svn: History = async ({ url, run, commit }) => {
  await commit('new', { [NEW]: 'a\n', 'other.c': 'b\n' })
  await run('svn', '-q', 'move', NEW, MOVED)
  await run('svn', '-q', 'commit', '-m', 'moved')
  await commit('deleted', { 'other.c': null })
  await run('svn', '-q', 'update')
  await run('svn', '-q', 'propset', 'colour', 'red', '.')
  await run('svn', '-q', 'commit', '-m', 'empty')
  await run('svn', '-q', 'copy', '-m', 'branched', `${url}/trunk`, `${url}/branches/side`)
  await run('svn', '-q', 'checkout', `${url}/branches/side`, '../side')
  await run('sh', '-c', 'cd ../side && echo c > side.c && svn -q add side.c && svn -q commit -m side')
  await run('svn', '-q', 'update')
  await run('svn', '-q', 'merge', '^/branches/side')
  await run('svn', '-q', 'commit', '-m', 'merged')
  return [
    { comments: 'new', files: ['other.c', NEW] },
    { comments: 'moved', files: [NEW, MOVED] },
    { comments: 'deleted', files: ['other.c'] },
    { comments: 'empty', files: [] },
    { comments: 'branched', files: [] },
    { comments: 'side', files: ['side.c'] },
    { comments: 'merged', files: ['side.c'] },
  ]
}

const hg: History = async ({ run, commit }) => {
  await commit('new', { [NEW]: 'a\n', 'other.c': 'b\n' })
  await run('hg', '-q', 'move', NEW, MOVED)
  await run('hg', '-q', 'commit', '-m', 'moved')
  await commit('deleted', { 'other.c': null })
  await run('hg', '-q', 'commit', '-m', 'empty', '--config', 'ui.allowemptycommit=true')
  await run('hg', '-q', 'update', '.~2')
  await writeFile(join(await run('pwd'), 'side.c'), 'c\n')
  await run('hg', '-q', 'add', 'side.c')
  await run('hg', '-q', 'commit', '-m', 'side')
  await run('hg', '-q', 'merge')
  await run('hg', '-q', 'commit', '-m', 'merged')
  await run('hg', '-q', 'push', '--force')
  return [
    { comments: 'new', files: ['other.c', NEW] },
    { comments: 'moved', files: [NEW, MOVED] },
    { comments: 'deleted', files: ['other.c'] },
    { comments: 'empty', files: [] },
    { comments: 'side', files: ['side.c'] },
    // What hg calls the files of a merge are those that are as in neither parent.
    { comments: 'merged', files: [] },
  ]
}

const bzr: History = async ({ folder, run, commit }) => {
  await commit('new', { [NEW]: 'a\n', 'other.c': 'b\n' })
  await run('brz', 'move', '-q', NEW, MOVED)
  await run('brz', 'commit', '-q', '-m', 'moved')
  const side = join(folder, 'side')
  await run('brz', 'branch', '-q', join(folder, 'repo'), side)
  await run('sh', '-c', 'cd ../side && echo c > side.c && brz add -q side.c && brz commit -q -m side')
  await commit('deleted', { 'other.c': null })
  await commit('empty', {})
  await run('brz', 'merge', '-q', side)
  await run('brz', 'commit', '-q', '-m', 'merged')
  return [
    { comments: 'new', files: ['other.c', NEW] },
    { comments: 'moved', files: [NEW, MOVED] },
    { comments: 'deleted', files: ['other.c'] },
    { comments: 'empty', files: [] },
    { comments: 'merged', files: ['side.c'] },
  ]
}

const darcs: History = async ({ folder, run, commit }) => {
  await commit('new', { [NEW]: 'a\n', 'other.c': 'b\n' })
  await run('darcs', 'move', '-q', NEW, MOVED)
  await run('darcs', 'record', '-q', '-a', '-m', 'moved')
  const side = join(folder, 'side')
  await run('darcs', 'clone', '-q', '.', side)
  const there = 'cd ../side && echo c > side.c && darcs add -q side.c && darcs record -q -a -m side'
  await run('sh', '-c', there)
  await commit('deleted', { 'other.c': null })
  await run('darcs', 'tag', '-q', 'empty')
  await run('darcs', 'pull', '-q', '-a', side)
  return [
    { comments: 'new', files: ['other.c', NEW] },
    { comments: 'moved', files: [NEW, MOVED] },
    { comments: 'deleted', files: ['other.c'] },
    { comments: 'TAG empty', files: [] },
    { comments: 'side', files: ['side.c'] },
  ]
}

const cvs: History = async ({ run, commit }) => {
  await commit('new', { [NEW]: 'a\n', 'other.c': 'b\n' })
  await commit('moved', { [NEW]: null, [MOVED]: 'a\n' })
  await commit('deleted', { 'other.c': null })
  await run('cvs', '-Q', 'commit', '-f', '-m', 'empty', MOVED)
  await run('cvs', '-Q', 'tag', '-b', 'side')
  await run('cvs', '-Q', 'update', '-r', 'side')
  await run('sh', '-c', `echo c >> '${MOVED}'`)
  await run('cvs', '-Q', 'commit', '-m', 'side')
  await run('cvs', '-Q', 'update', '-A')
  await run('cvs', '-Q', 'update', '-j', 'side')
  await run('cvs', '-Q', 'commit', '-m', 'merged')
  return [
    { comments: 'new', files: ['other.c', NEW] },
    { comments: 'moved', files: [NEW, MOVED] },
    { comments: 'deleted', files: ['other.c'] },
    { comments: 'empty', files: [MOVED] },
    // The trunk is what it watches.
    { comments: 'merged', files: [MOVED] },
  ]
}

export const HISTORIES = { svn, hg, bzr, darcs, cvs } satisfies Readonly<Record<string, History>>
