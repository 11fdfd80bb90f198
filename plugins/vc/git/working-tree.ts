import type { StepContext } from 'boltbot/plugin-sdk'
import type { Checkout } from './checkout-options.ts'
import { createSlaveGit, type SlaveGit, say } from './slave-git.ts'

/** Which commit: `revision: null` is the newest of the branch, `branch: null` the one HEAD of the repository names. */
export interface Wanted {
  readonly repourl: string
  readonly branch: string | null
  readonly revision: string | null
}

/** Lies in `.git` when a patch was applied to the tree: it must be cleaned before the next build. */
export const PATCHED = '.git/boltbot-patched'

/**
 * Brings a directory to the wanted commit, by update where it is a checkout of this repository, else by a new clone. A checkout
 * that cannot be updated although the server can be reached is thrown away and cloned anew.
 * @returns the full revision, or `null` when it failed; the log says why.
 */
export async function obtainTree(
  context: StepContext,
  options: Checkout,
  directory: string,
  wanted: Wanted,
  fresh: boolean,
): Promise<string | null> {
  const git = createSlaveGit(context, options, directory)
  if (!fresh && (await isOurs(context, git, wanted.repourl))) {
    const revision = (await clean(context, git)) ? await bring(context, options, git, wanted) : null
    if (revision !== null || context.signal.aborted) return revision
    // Without the server a clone would fail too, and the tree be gone.
    if (!(await git.run('ls-remote', '--quiet', '--exit-code', 'origin', 'HEAD'))) return null
    await say(context, `update of "${directory}" failed, cloning anew`)
  }
  await context.run({ kind: 'rmdir', paths: [directory] })
  const made = (await git.run('init', '--quiet')) && (await git.run('remote', 'add', '--', 'origin', wanted.repourl))
  return made ? bring(context, options, git, wanted) : null
}

async function isOurs(context: StepContext, git: SlaveGit, repourl: string): Promise<boolean> {
  if (!(await exists(context, git.directory))) return false
  if (!(await exists(context, `${git.directory}/.git`))) {
    await say(context, `"${git.directory}" is no git checkout, cloning anew`)
    return false
  }
  const origin = await git.read('config', '--get', 'remote.origin.url')
  if (origin === repourl) return true
  await say(context, `"${git.directory}" is a checkout of another repository or broken, cloning anew`)
  return false
}

/** Files that a patch of an earlier build made are unknown to git: nothing else would remove them. */
async function clean(context: StepContext, git: SlaveGit): Promise<boolean> {
  if (!(await exists(context, `${git.directory}/${PATCHED}`))) return true
  if (!(await git.run('clean', '-ffdxq'))) return false
  await context.run({ kind: 'rmfile', paths: [`${git.directory}/${PATCHED}`] })
  return true
}

async function bring(context: StepContext, options: Checkout, git: SlaveGit, wanted: Wanted): Promise<string | null> {
  const revision = await fetch(options, git, wanted)
  if (revision === null || !(await git.run('checkout', '--quiet', '--force', '--detach', revision, '--'))) return null
  if (options.submodules) {
    const depth = options.shallow === null ? [] : ['--depth', `${options.shallow}`]
    const synced =
      (await git.run('submodule', 'sync', '--quiet', '--recursive')) &&
      (await git.run('submodule', 'update', '--init', '--recursive', '--force', ...depth))
    if (!synced) return null
  }
  await say(context, `"${git.directory}" is at ${revision}`)
  return revision
}

/** Fetches what is missing; gives the full revision. */
async function fetch({ shallow }: Checkout, git: SlaveGit, { branch, revision }: Wanted): Promise<string | null> {
  const have = (name: string) => git.read('rev-parse', '--quiet', '--verify', `${name}^{commit}`)
  const isHash = revision !== null && /^[0-9a-f]{40,64}$/i.test(revision)
  if (isHash) {
    const known = await have(revision)
    if (known !== null) return known
  }
  const depth = shallow === null ? [] : ['--depth', `${shallow}`]
  const get = (source: string, ...more: readonly string[]) =>
    git.run('fetch', '--progress', '--force', ...more, '--', 'origin', source)
  // One commit of many: by its own name if the server allows that.
  if (isHash && shallow !== null && (await get(revision, ...depth))) return have('FETCH_HEAD')

  const source = branch === null ? 'HEAD' : branch.startsWith('refs/') ? branch : `refs/heads/${branch}`
  const got = await get(source, ...depth)
  if (revision === null) return got ? have('FETCH_HEAD') : null
  const found = got ? await have(revision) : null
  if (found !== null) return found
  // Deeper than what was fetched, a tag, or on no branch any more.
  if (got && shallow !== null && (await get(source, '--unshallow'))) {
    const deeper = await have(revision)
    if (deeper !== null) return deeper
  }
  return (await get(revision)) ? have('FETCH_HEAD') : null
}

async function exists(context: StepContext, path: string): Promise<boolean> {
  const { data } = await context.run({ kind: 'stat', path })
  return data !== null
}
