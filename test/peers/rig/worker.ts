import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `false`, or why a test with this program is skipped. */
export function absent(program: string): string | false {
  return spawnSync('which', [program]).status === 0 ? false : `${program} is not installed`
}

/** A stock worker, as its administrator makes and starts it. */
export interface Worker extends AsyncDisposable {
  readonly basedir: string
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  kill(signal?: NodeJS.Signals): Promise<void>
  /** What it wrote into its log. */
  log(): string
}

export interface WorkerOptions {
  readonly name?: string
  readonly password?: string
  /** More options of `buildbot-worker create-worker`. */
  readonly options?: readonly string[]
  /** Runs it again in the directory of an earlier one. */
  readonly basedir?: string
  /** Default `127.0.0.1:port`. */
  readonly master?: string
  readonly env?: Readonly<Record<string, string>>
}

export function startWorker(port: number, given: WorkerOptions = {}): Worker {
  const { name = 'bot', password = 'pass1', options = [] } = given
  const basedir = given.basedir ?? realpathSync(mkdtempSync(join(tmpdir(), 'boltbot-worker-')))
  const create = [
    'create-worker',
    '--maxdelay=1',
    ...options,
    basedir,
    given.master ?? `127.0.0.1:${port}`,
    name,
    password,
  ]
  if (given.basedir === undefined) execFileSync('buildbot-worker', create, { stdio: 'pipe' })
  const child = spawn('buildbot-worker', ['start', '--nodaemon', basedir], {
    stdio: 'ignore',
    env: { ...process.env, LANG: 'C.UTF-8', SECRET_OF_WORKER: 'do not show', ...given.env },
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  return {
    basedir,
    child,
    exited,
    async kill(signal = 'SIGKILL') {
      child.kill(signal)
      await exited
    },
    log: () => readFileSync(join(basedir, 'twistd.log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      rmSync(basedir, { recursive: true, force: true })
    },
  }
}
