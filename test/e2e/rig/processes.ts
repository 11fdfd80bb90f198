import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from 'boltbot/plugin-sdk/testing'

const BIN = resolve(import.meta.dirname, '../../../core/cli/boltbot.js')
/** The command line as a user has it, on the Node that runs the test. */
const NODE_ARGS = ['--disable-warning=ExperimentalWarning', BIN]

export interface StartOptions {
  readonly name: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Sees each whole line of its standard output. */
  readonly onLine?: (line: string) => void
}

/** A process of ours; disposing ends it, kindly first. */
export interface Running extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  /** What it printed on both of its outputs, for messages. */
  output(): string
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  isGone(): boolean
  /** Resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Resolves with the first line, also one that came already, that fits. */
  line(pattern: RegExp, deadline?: number): Promise<RegExpExecArray>
}

/** Starts `boltbot` with these arguments. */
export function startBoltbot({ name, args, cwd, env, onLine }: StartOptions): Running {
  const child = spawn(process.execPath, [...NODE_ARGS, ...args], {
    cwd,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const collect = (stream: NodeJS.ReadableStream | null, see?: (line: string) => void) =>
    createInterface({ input: stream! }).on('line', (line) => {
      lines.push(line)
      see?.(line)
    })
  collect(child.stdout, onLine)
  collect(child.stderr)
  const exited = endOf(child)
  return {
    name,
    pid: child.pid ?? 0,
    output: () => lines.join('\n'),
    exited,
    isGone: () => child.exitCode !== null || child.signalCode !== null,
    async kill(signal = 'SIGKILL') {
      child.kill(signal)
      await exited
    },
    line(pattern, deadline = 20_000) {
      const find = () => lines.map((line) => pattern.exec(line)).find((match) => match !== null)
      return until<RegExpExecArray | undefined>(find, {
        what: `a line like ${pattern} from ${name}`,
        deadline,
        seen: () => lines.slice(-20).join('\n'),
      })
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(hard)
    },
  }
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `boltbot` to its end. */
export async function runBoltbot(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly uid?: number } = {},
): Promise<Ended> {
  const { env, ...rest } = options
  const child = spawn(process.execPath, [...NODE_ARGS, ...args], {
    ...rest,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  const texts = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (texts.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (texts.stderr += text))
  const [code] = await once(child, 'close')
  return { code, ...texts }
}

async function endOf(child: ChildProcess) {
  const [code, signal] = await once(child, 'close')
  return { code, signal } as { code: number | null; signal: NodeJS.Signals | null } // as Node documents the event
}

/** The test's own settings of git, of the test runner and of Boltbot must not reach what is tested. */
function cleanEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(GIT_|NODE_|BOLTBOT_|FORCE_COLOR|NO_COLOR)/.test(name))
  return {
    ...Object.fromEntries(kept),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    ...more,
  }
}
