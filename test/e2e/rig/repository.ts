import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Repository {
  /** The bare repository, as a poller and slaves name it. */
  readonly url: string
  /** Writes files, commits and pushes them; gives the revision. */
  commit(commit: {
    readonly files: Readonly<Record<string, string>>
    readonly who?: { readonly name: string; readonly mail: string }
    readonly comments?: string
    readonly branch?: string
  }): Promise<string>
  /** Revisions of a branch, oldest first, as git itself says. */
  revisions(branch?: string): Promise<readonly string[]>
}

export const JANE = { name: 'Jane Doe', mail: 'jane@example.org' }
export const JOE = { name: 'Joe Bloggs', mail: 'joe@example.org' }

/** A bare repository and a clone to push from, with one commit on `main`. */
export async function createRepository(
  folder: string,
  files: Readonly<Record<string, string>>,
  name = 'hello',
): Promise<Repository> {
  const url = join(folder, `${name}.git`)
  const clone = join(folder, `${name}-clone`)
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
  const git = async (...args: string[]) => (await run('git', args, { cwd: clone, env })).stdout.trim()
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', url], { env })
  await run('git', ['clone', '--quiet', url, clone], { env })
  await git('symbolic-ref', 'HEAD', 'refs/heads/main')

  const repository: Repository = {
    url,
    async commit({ files: changed, who = JOE, comments = 'Change something', branch = 'main' }) {
      for (const [path, text] of Object.entries(changed)) {
        await mkdir(dirname(join(clone, path)), { recursive: true })
        await writeFile(join(clone, path), text)
      }
      await git('add', '-A')
      const author = ['-c', `user.name=${who.name}`, '-c', `user.email=${who.mail}`]
      await git(...author, 'commit', '--quiet', '--allow-empty', '-m', comments)
      await git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`)
      return git('rev-parse', 'HEAD')
    },
    async revisions(branch = 'main') {
      return (await git('--git-dir', url, 'rev-list', '--reverse', branch)).split('\n').filter(Boolean)
    },
  }
  await repository.commit({ files, comments: 'Begin' })
  return repository
}
