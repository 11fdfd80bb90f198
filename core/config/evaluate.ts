import { fork } from 'node:child_process'
import { statSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { dirname, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { formatDuration } from 'boltbot/plugin-sdk'
import { configMissing } from './errors.ts'
import type { Problem } from './problem.ts'

/** What a fresh process found. */
export interface Evaluation {
  /** Content hash of the config's files; '' when there are problems. */
  readonly hash: string
  readonly problems: readonly Problem[]
  /** The walk in words; empty when there are problems. */
  readonly walk: readonly string[]
  /** What the config printed while it was read. */
  readonly output: string
}

/** What the child sends, once. */
export type EvaluationMessage = Omit<Evaluation, 'output'>

export interface EvaluationOptions {
  /** It is ended after so long. Default: 30 s. */
  readonly deadlineMs?: number
  /** Variables beside those of this process: those of a base directory's `environment` file. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Evaluates and checks a config in a process of its own, so that what it does wrong (a throw in a timer, an exit, an endless
 * loop) harms nobody here. Beside a folder `secrets` the secrets it names must be there as well.
 * @throws CiError `BOLT_CONFIG_MISSING`.
 */
export async function checkInFreshProcess(
  file: string,
  { deadlineMs = 30_000, environment = {} }: EvaluationOptions = {},
): Promise<Evaluation> {
  const path = resolve(file)
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw configMissing(path)
  const own = import.meta.url
  const entry = new URL(`./evaluate-child${own.slice(own.lastIndexOf('.'))}`, own) // .ts in a checkout, .js when installed
  const child = fork(entry, [path], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ...compileCache(), ...environment },
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  })
  let answer: EvaluationMessage | undefined
  child.on('message', (message) => {
    answer = message as EvaluationMessage // evaluate-child.ts sends nothing else
  })
  const ended = new Promise<string>((done) => {
    child.on('error', (error) => done(error.message))
    child.on('exit', (code, signal) => done(signal ?? `code ${code}`))
  })
  const [end, out, err] = await Promise.all([ended, text(child.stdout!), text(child.stderr!)]) // piped, so both are there
  const output = [out, err].filter((part) => part !== '').join('\n')
  if (answer) return { ...answer, output }
  const why =
    end === 'SIGKILL'
      ? `It was not read within ${formatDuration(deadlineMs)}: something in it waits or loops.`
      : `The process that read it ended (${end}) before it was done: something in it exits.`
  const tail = output.trim().split('\n').slice(-5).join(' | ')
  const message = tail === '' ? why : `${why} It printed: ${tail}`
  return { hash: '', problems: [{ file: path, line: 1, column: 1, path: 'evaluation', message }], walk: [], output }
}

/** What this process keeps of what it compiled, the child need not compile again. Node names the folder of its own version. */
function compileCache(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir()
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
}
