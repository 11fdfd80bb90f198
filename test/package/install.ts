import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../rig/sources.ts'

const exec = promisify(execFile)

/** The packed package, installed in an empty folder outside of the checkout. */
export interface Installed extends AsyncDisposable {
  readonly path: string
  /** The packed file. */
  readonly tarball: string
  /** The staged folder that was packed. */
  readonly staged: string
}

/** The pinned Node first, as in npm scripts; nothing of this checkout otherwise. Test runs inside are runs of their own. */
export const env: NodeJS.ProcessEnv = {
  ...process.env,
  NO_COLOR: '1',
  npm_config_prefer_offline: 'true',
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
}
delete env.NODE_TEST_CONTEXT

export async function installTarball(): Promise<Installed> {
  const path = await mkdtemp(join(tmpdir(), 'boltbot-package-'))
  const packed = await mkdtemp(join(tmpdir(), 'boltbot-packed-'))
  const staged = join(packed, 'dist')
  await exec(process.execPath, [join(ROOT, 'test', 'package', 'stage.ts'), staged], { cwd: ROOT, env })
  await exec('npm', ['pack', staged, '--pack-destination', packed], { cwd: ROOT, env })
  const name = (await readdir(packed)).find((file) => file.endsWith('.tgz'))
  const tarball = join(packed, name ?? 'nothing')
  await writeFile(join(path, 'package.json'), '{"private":true}')
  await runIn(path, 'npm', 'install', '--no-audit', '--no-fund', tarball)
  return {
    path,
    tarball,
    staged,
    async [Symbol.asyncDispose]() {
      // A local slave outlives its master on purpose, for a while: it waits for the master to come back.
      for (const file of await readdir(path, { recursive: true })) {
        if (!/\bslaves\/.*\bagent\.pid$/.test(file)) continue
        process.kill(JSON.parse(await readFile(join(path, file), 'utf8')).pid, 'SIGKILL')
      }
      for (const folder of [path, packed]) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** What a program prints. @throws when it fails, with that. */
export async function runIn(cwd: string, program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await exec(program, args, { cwd, env, timeout: 120_000 })
    return stdout + stderr
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string } // what execFile rejects with
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
  }
}
