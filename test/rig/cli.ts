import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { readPidFile } from '../../core/cli/pid-file.ts'
import type { Asked } from './kept-command-line.ts'

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface CliRig extends AsyncDisposable {
  /** A temporary folder; commands run in it. */
  readonly path: string
  /** Runs the real command in a process of its own. */
  run(...args: readonly string[]): Promise<Outcome>
  /** As `run`, in a process that runs all of these, one after the other: for commands that make files, or ask a master. */
  ask(...args: readonly string[]): Promise<Outcome>
  /** As `run`, with more variables. */
  runWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Outcome>
  write(name: string, content: string): Promise<string>
}

const KEPT = fileURLToPath(new URL('./kept-command-line.ts', import.meta.url))
const BIN = fileURLToPath(new URL('../../core/cli/boltbot.js', import.meta.url))

/** The command line in a folder of its own. What was started in `basedirs` is ended with it. */
export async function createCliRig(basedirs: readonly string[] = []): Promise<CliRig> {
  const path = await mkdtemp(join(tmpdir(), 'boltbot-test-'))
  const runWith: CliRig['runWith'] = async (env, ...args) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', BIN, ...args], {
      cwd: path,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      timeout: 60_000,
    })
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
    const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
    return { code, out, err }
  }
  return {
    path,
    runWith,
    ask: (...args) => askKept({ cwd: path, args }),
    run: (...args) => runWith({}, ...args),
    async write(name, content) {
      await writeFile(join(path, name), content)
      return join(path, name)
    },
    async [Symbol.asyncDispose]() {
      for (const basedir of basedirs)
        for (const kind of ['master', 'slave']) {
          const running = readPidFile(join(path, basedir), `${kind}.pid`)
          if (running) process.kill(running.pid, 'SIGKILL')
        }
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** One for all rigs of a test file; it ends when this process does. */
let kept: ChildProcess | undefined
let lastAsked: Promise<unknown> = Promise.resolve()

function askKept(asked: Asked): Promise<Outcome> {
  const answered = lastAsked.then(() => askNext(asked))
  lastAsked = answered.catch(() => {})
  return answered
}

async function askNext(asked: Asked): Promise<Outcome> {
  const execArgv = ['--disable-warning=ExperimentalWarning']
  const child = (kept ??= fork(KEPT, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  const ended = () => reject(new Error(`The kept process ended while it ran: ${asked.args.join(' ')}`))
  child.once('message', resolve).once('exit', ended)
  child.ref()
  child.channel?.ref()
  try {
    child.send(asked)
    return await promise
  } finally {
    child.off('exit', ended)
    child.unref()
    child.channel?.unref()
  }
}

/** A config that runs without any slave of its own. */
export const LONELY = `import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { definePlugin, defineStep } from 'boltbot/plugin-sdk'

const none = definePlugin({ name: 'none', kind: 'slave', startsSlaves: true, apply() {} })
const step = defineStep({ name: 'step', async run() { return { result: 'success' } } })
const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([step()]) })
export default defineMaster({ projectName: 'Hello', transports: [none()], slaves: [bot], builders: [full] })
`
