import { type ChildProcess, spawn } from 'node:child_process'
import { kill, platform } from 'node:process'
import { outputTooLong, programFailed, programMissing } from './errors.ts'

/** A version control program on the master's machine: no shell, no questions. */
export type Program = (args: readonly string[], run?: ProgramRun) => Promise<Buffer>

export interface ProgramRun {
  readonly stdin?: string
  readonly cwd?: string
  /** Ends the program and all it started; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined
}

export interface ProgramOptions {
  readonly bin: string
  /** The option of the source that names it. */
  readonly option: string
  readonly env: () => Readonly<Record<string, string>>
  /** Texts that must not stand in error messages, and what to show instead. */
  readonly hide?: ReadonlyMap<string, string>
  /** Exit codes that are no failure beside 0. */
  readonly alsoGood?: readonly number[]
}

const MAX_OUTPUT = 256 << 20
const MAX_STDERR = 64 << 10

/** @throws CiError `BOLT_VC_MISSING`, `BOLT_VC_FAILED`, `BOLT_VC_OUTPUT`. */
export function createProgram({ bin, option, env, hide = new Map(), alsoGood = [] }: ProgramOptions): Program {
  const shown = (text: string) => [...hide].reduce((now, [from, to]) => now.replaceAll(from, to), text)

  return async (args, { stdin = '', cwd, signal } = {}) => {
    signal?.throwIfAborted()
    const action = `${bin.replace(/.*[\\/]/, '')} ${args.find((arg) => !arg.startsWith('-') && !arg.includes('=')) ?? ''}`
    const child = spawn(bin, args, {
      env: env(),
      ...(cwd !== undefined && { cwd }),
      // A group of its own: these programs start helpers (ssh above all), and an abort must reach them too.
      detached: platform !== 'win32',
      windowsHide: true,
    })
    const ended = Promise.withResolvers<{ exitCode: number | null; signal: string | null }>()
    child.once('error', (error) => ended.reject(programMissing(bin, option, error)))
    child.once('close', (exitCode, by) => ended.resolve({ exitCode, signal: by }))
    const abort = () => endGroup(child)
    signal?.addEventListener('abort', abort, { once: true })
    const out: Buffer[] = []
    let length = 0
    let stderr = ''
    child.stdout.on('data', (data: Buffer) => {
      length += data.length
      if (length > MAX_OUTPUT) endGroup(child)
      else out.push(data)
    })
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (data: string) => {
      stderr = (stderr + data).slice(-MAX_STDERR)
    })
    child.stdin.on('error', () => {}) // it ended before it read all: its exit code tells
    child.stdin.end(stdin)
    try {
      const { exitCode, signal: by } = await ended.promise
      signal?.throwIfAborted()
      if (length > MAX_OUTPUT) throw outputTooLong(action, MAX_OUTPUT)
      if (exitCode !== 0 && !alsoGood.includes(exitCode ?? -1))
        throw programFailed(action, { exitCode, signal: by, stderr: shown(stderr) })
      return Buffer.concat(out)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (platform === 'win32') spawn('taskkill', ['/pid', `${child.pid}`, '/T', '/F'], { windowsHide: true }).unref()
    else kill(-child.pid, 'SIGKILL') // SIGTERM would leave helpers that wait for a dead server
  } catch {
    // It has ended by itself.
  }
}
