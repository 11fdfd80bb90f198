import type { StepContext } from 'boltbot/plugin-sdk'
import type { TreeKind } from '../checkout.ts'
import { exists, type SlaveProgram, say } from '../slave-program.ts'
import type { Checkout } from './checkout-options.ts'

/** Which commit: `revision: null` is the newest of the branch, `branch: null` the one HEAD of the repository names. */
export interface Wanted {
  readonly repourl: string
  readonly branch: string | null
  readonly revision: string | null
}

export interface GitTreeDeps {
  readonly context: StepContext
  readonly options: Checkout
  readonly wanted: Wanted
  readonly gitIn: (directory: string) => SlaveProgram
}

/** A tree is known as ours by the address in it, and is kept while the server cannot be reached. */
export function createGitTree({ context, options, wanted, gitIn }: GitTreeDeps): TreeKind {
  async function bring(directory: string): Promise<string | null> {
    const git = gitIn(directory)
    const revision = await fetch(options, git, wanted)
    if (revision === null || !(await git.run('checkout', '--quiet', '--force', '--detach', revision, '--'))) return null
    if (!options.submodules) return revision
    const depth = options.shallow === null ? [] : ['--depth', `${options.shallow}`]
    const synced =
      (await git.run('submodule', 'sync', '--quiet', '--recursive')) &&
      (await git.run('submodule', 'update', '--init', '--recursive', '--force', ...depth))
    return synced ? revision : null
  }

  return {
    metadata: '.git',
    origin: wanted.repourl,
    async checkOut(directory) {
      const git = gitIn(directory)
      const made =
        (await git.run('init', '--quiet')) && (await git.run('remote', 'add', '--', 'origin', wanted.repourl))
      return made ? bring(directory) : null
    },
    update: bring,
    async isOurs(directory) {
      if (!(await exists(context, directory))) return false
      if (!(await exists(context, `${directory}/.git`))) {
        await say(context, `"${directory}" is no git checkout, cloning anew`)
        return false
      }
      // By how it ends, not by what it prints: when the step is run again after a restart it is shown its log, in which secrets are hidden.
      if (await gitIn(directory).run('config', '--get', 'remote.origin.url', patternOf(wanted.repourl))) return true
      await say(context, `"${directory}" is a checkout of another repository or broken, cloning anew`)
      return false
    },
    clean: (directory) => gitIn(directory).run('clean', '-ffdxq'),
    isReachable: (directory) => gitIn(directory).run('ls-remote', '--quiet', '--exit-code', 'origin', 'HEAD'),
    applyPatch(directory, { file, level, folder }) {
      const place = folder === '' ? [] : [`--directory=${folder}`]
      return gitIn(directory).run('apply', `-p${level}`, ...place, '--whitespace=nowarn', '--', file)
    },
    async moreMetadata(directory) {
      if (!options.submodules) return []
      const git = gitIn(directory)
      const list = await git.read('submodule', 'foreach', '--quiet', '--recursive', 'echo "$displaypath"') // git's own shell
      if (list === null) return null
      const paths = list.split('\n').filter((path) => path !== '')
      return paths.map((path) => `${directory}/${path}/.git`)
    },
  }
}

/** An extended regular expression that matches this address only. */
export const patternOf = (repourl: string) => `^${repourl.replace(/[\\^$.|?*+()[{]/g, '\\$&')}$`

/** Fetches what is missing; gives the full revision. */
async function fetch({ shallow }: Checkout, git: SlaveProgram, { branch, revision }: Wanted): Promise<string | null> {
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
