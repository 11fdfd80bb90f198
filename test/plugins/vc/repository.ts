import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

/** A real git repository in a folder of its own. */
export interface Repository extends AsyncDisposable {
  /** Of the test, with room for more. */
  readonly folder: string
  readonly path: string
  git(...args: readonly string[]): Promise<string>
  /** Writes files (`null`: deletes) and commits; gives the revision. A branch that does not exist is made at the present commit. */
  commit(message: string, files?: Readonly<Record<string, string | null>>, branch?: string): Promise<string>
}

/** Commits are a minute apart, so that their order by time is known. */
export async function createRepository({ author = 'Jane Doe <jane@example.org>' } = {}): Promise<Repository> {
  const folder = await mkdtemp(join(tmpdir(), 'boltbot-git-'))
  const path = join(folder, 'hello')
  let commits = 0
  const git: Repository['git'] = async (...args) => {
    const when = `${1_700_000_000 + 60 * commits} +0000`
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_DATE: when,
      GIT_COMMITTER_DATE: when,
      GIT_COMMITTER_NAME: 'Committer',
      GIT_COMMITTER_EMAIL: 'committer@example.org',
      GIT_AUTHOR_NAME: author.replace(/ *<.*/, ''),
      GIT_AUTHOR_EMAIL: author.replace(/.*<|>.*/g, ''),
    }
    return (await exec('git', ['-C', path, ...args], { env, maxBuffer: 1 << 26 })).stdout.trim()
  }
  await mkdir(path)
  await git('init', '--quiet', '--initial-branch=main', '.')
  return {
    folder,
    path,
    git,
    async commit(message, files = {}, branch = 'main') {
      const current = await git('symbolic-ref', '--short', 'HEAD')
      if (current !== branch) {
        const known = await git('branch', '--list', branch)
        await git('checkout', '--quiet', ...(known === '' ? ['-b', branch] : [branch]))
      }
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true })
        if (text === null) await rm(join(path, name))
        else await writeFile(join(path, name), text)
      }
      commits++
      await git('add', '--all')
      await git('commit', '--quiet', '--allow-empty', '--message', message)
      return git('rev-parse', 'HEAD')
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
