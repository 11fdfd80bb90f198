import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds; then it is killed. Default 60,000. */
  readonly deadline?: number
}

/** Runs a program to its end. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(program, args, {
    ...(options.cwd && { cwd: options.cwd }),
    env: { ...process.env, LANG: 'C.UTF-8', ...options.env },
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (data) => out.push(data))
  child.stderr.on('data', (data) => err.push(data))
  child.stdin.on('error', () => {}) // it may not want it
  child.stdin.end(options.input)
  const tooLong = setTimeout(() => child.kill('SIGKILL'), options.deadline ?? 20_000)
  const [code] = await once(child, 'close')
  clearTimeout(tooLong)
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}

const ENTRY = join(import.meta.dirname, '../../../core/cli/boltbot.js')

/** Our own command line. */
export const boltbot = (args: readonly string[], options?: RunOptions): Promise<Ran> =>
  run(process.execPath, [ENTRY, ...args], options)
