import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LEAN } from '../core/cli/lean.ts'
import type { Misdeed, Round } from './runaway-child.ts'

/** A master in a process of its own that stands still, threads and all, while it is not asked for builds. */
export interface RunawayProcess extends AsyncDisposable {
  /** Does so many builds. */
  round(builds: number): Promise<Round>
}

const PROGRAM = fileURLToPath(new URL('./runaway-child.ts', import.meta.url))

export async function startRunawayProcess(how?: Misdeed): Promise<RunawayProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'boltbot-bench-'))
  const child = fork(PROGRAM, how ? [how] : [], {
    execArgv: ['--disable-warning=ExperimentalWarning', ...LEAN.flags],
    // What goes wrong in the plugin is logged, and is no news here.
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, TMPDIR: directory },
  })
  let said = ''
  child.stderr!.on('data', (text) => {
    said = `${said}${text}`.slice(-2000)
  })
  const exited = once(child, 'exit').then(() => {
    throw new Error(`The master beside "${how}" ended: ${said}`)
  })
  exited.catch(() => {}) // told to whoever asks for builds
  return {
    async round(builds) {
      child.kill('SIGCONT')
      const answer = once(child, 'message')
      child.send(builds)
      const [round] = (await Promise.race([answer, exited])) as [Round]
      child.kill('SIGSTOP')
      return round
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited.catch(() => {}) // as it shall
      await rm(directory, { recursive: true, force: true })
    },
  }
}
