import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { repoUnreadable } from '../errors.ts'
import type { Tree } from './guess-steps.ts'

/** The newest tree of a repository's default branch, in a temporary folder. */
export interface Clone extends Disposable {
  /** A local path is absolute here. */
  readonly repourl: string
  readonly branch: string
  readonly tree: Tree
  /** A folder for files beside it. */
  readonly folder: string
}

const run = promisify(execFile)

/** @throws CiError `BOLT_CLI_REPO`. */
export async function clone(given: string): Promise<Clone> {
  const repourl = existsSync(given) ? resolve(given) : given
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-init-'))
  const root = join(folder, 'tree')
  // Asking for a password would wait for nobody.
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_SSH_COMMAND: 'ssh -oBatchMode=yes' }
  try {
    await run('git', ['clone', '--quiet', '--depth', '1', '--', repourl, root], { env })
    const { stdout } = await run('git', ['-C', root, 'symbolic-ref', '--short', 'HEAD'], { env })
    return {
      repourl,
      branch: stdout.trim(),
      folder,
      tree: {
        has: (file) => existsSync(join(root, file)),
        read: (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''),
      },
      [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw repoUnreadable(repourl, error)
  }
}
