import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { childEnded } from './errors.ts'

/** A master or a slave as a process of its own, logging to a file. Disposing stops it. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  readonly logFile: string
  /** Resolves when it logged this message; rejects when it ends before. */
  logged(message: string): Promise<void>
  /** Rejects when it ends before it is told to. */
  readonly failed: Promise<never>
}

export interface ChildOptions {
  readonly name: string
  readonly basedir: string
  readonly logFile: string
  /** Whether what it prints is seen on this terminal. */
  readonly shown: boolean
}

const BIN = fileURLToPath(new URL('../boltbot.js', import.meta.url))
const PATIENCE_MS = 10_000

export function startChild({ name, basedir, logFile, shown }: ChildOptions): Child {
  const args = [...process.execArgv, '--disable-warning=ExperimentalWarning', BIN, 'start', '--nodaemon', basedir]
  const child = spawn(process.execPath, args, {
    cwd: basedir,
    // A session of its own: Ctrl-C is for the demo alone, which then stops its children in order.
    detached: true,
    stdio: ['ignore', shown ? 'inherit' : 'ignore', 'pipe'],
    // The project is built by this Node, also where none is installed.
    env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` },
    windowsHide: true,
  })
  const file = createWriteStream(logFile, { flags: 'a' })
  const seen: string[] = []
  const waiting = new Map<string, () => void>()
  let lastWords = ''
  const take = (line: string) => {
    file.write(`${line}\n`)
    const message = messageIn(line)
    if (message === undefined)
      lastWords = line // no line of the log: what it says to its user
    else {
      seen.push(message)
      waiting.get(message)?.()
    }
  }
  createInterface({ input: child.stderr! }).on('line', take)

  let stopping = false
  const ended = once(child, 'close').finally(() => file.end())
  const failed = ended.then(([code, signal]): never | Promise<never> => {
    if (stopping) return new Promise<never>(() => {})
    throw childEnded(name, signal ?? `exit code ${code}`, lastWords.replace(/^boltbot: /, ''), logFile)
  })
  failed.catch(() => {}) // told to those who wait for something of it
  return {
    pid: child.pid ?? 0,
    logFile,
    failed,
    logged(message) {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (seen.includes(message)) resolve()
      else waiting.set(message, resolve)
      return Promise.race([promise, failed])
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
      await ended
      clearTimeout(hard)
    },
  }
}

/** The message of a line of the log; `undefined` when it is none. */
function messageIn(line: string): string | undefined {
  try {
    const { message } = JSON.parse(line) as { readonly message?: unknown } // any JSON may be asked
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
