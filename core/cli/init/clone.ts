import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { repoUnreadable } from '../errors.ts'
import type { Tree } from './guess-steps.ts'
import type { RepoAddress } from './repo-address.ts'

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
export async function clone({ repourl: given, login }: RepoAddress): Promise<Clone> {
  const repourl = existsSync(given) ? resolve(given) : given
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-init-'))
  const root = join(folder, 'tree')
  // Asking for a password would wait for nobody.
  const env = {
    ...process.env,
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
    ...(login !== undefined && { BOLTBOT_GIT_USER: login.username, BOLTBOT_GIT_PASSWORD: login.password }),
  }
  const settings = login === undefined ? [] : helperFor(repourl)
  try {
    await run('git', [...settings, 'clone', '--quiet', '--depth', '1', '--', repourl, root], { env })
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

/** Git is given the password by its environment, for this server alone: all users of a machine can read a command line. */
function helperFor(repourl: string): readonly string[] {
  const name = `credential.${new URL(repourl).origin}.helper`
  return ['-c', `${name}=`, '-c', `${name}=${HELPER}`]
}

const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$BOLTBOT_GIT_USER" "$BOLTBOT_GIT_PASSWORD"; }; f'
