import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A FreshCVS daemon on the real Twisted. */
export interface Daemon extends AsyncDisposable {
  readonly port: number
  readonly child: ChildProcess
  /** Resolves with what it answers to a command; see the program. */
  ask(command: object): Promise<Record<string, unknown>>
}

export const PYTHON = '/usr/bin/python3'

/** `false`, or why a test with Twisted is skipped. */
export function withoutTwisted(): string | false {
  return spawnSync(PYTHON, ['-c', 'import twisted.spread.pb']).status === 0 ? false : 'python3-twisted is not installed'
}

export interface DaemonOptions {
  readonly style?: 'new' | 'old'
  readonly port?: number
  readonly password?: string
}

export async function startDaemon({ style = 'new', port = 0, password = 'bar' }: DaemonOptions = {}): Promise<Daemon> {
  const program = new URL('freshcvs-daemon.py', import.meta.url).pathname
  const child = spawn(PYTHON, [program, style, `${port}`, 'foo', password], { stdio: ['pipe', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const waiting: ((answer: Record<string, unknown>) => void)[] = []
  lines.on('line', (line) => waiting.shift()?.(JSON.parse(line)))
  const answer = () => {
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
    waiting.push(resolve)
    exited.then(([code]) => reject(new Error(`the daemon has ended with ${code}`)))
    return promise
  }
  const started = await answer()
  return {
    port: started.port as number,
    child,
    ask(command) {
      const answered = answer()
      child.stdin.write(`${JSON.stringify(command)}\n`)
      return answered
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}
