import { type ChildProcess, spawn } from 'node:child_process'
import { env, kill, platform } from 'node:process'
import { gitFailed, gitMissing, gitOutputTooLong } from './errors.ts'

/** Runs git on the master's machine: no shell, no questions, nothing of the surroundings but how to reach a server. */
export type Git = (args: readonly string[], options?: GitRun) => Promise<Buffer>

export interface GitRun {
  /** The bare repository it works in; left out: none. */
  readonly gitDir?: string
  readonly stdin?: string
  /** Ends git and all it started; the promise rejects with its reason. */
  readonly signal?: AbortSignal
}

const MAX_OUTPUT = 256 << 20
const MAX_STDERR = 64 << 10

/**
 * @param hide texts that must not stand in error messages, and what to show instead.
 * @throws CiError `BOLT_GIT_MISSING`, `BOLT_GIT_FAILED`.
 */
export function createGit(gitbin: string, hide: ReadonlyMap<string, string> = new Map()): Git {
  const shown = (text: string) => [...hide].reduce((now, [from, to]) => now.replaceAll(from, to), text)

  return async (args, { gitDir, stdin = '', signal } = {}) => {
    signal?.throwIfAborted()
    const action = args.find((arg) => !arg.startsWith('-') && !arg.includes('=')) ?? ''
    const child = spawn(gitbin, [...(gitDir === undefined ? [] : [`--git-dir=${gitDir}`]), ...args], {
      env: cleanEnvironment(),
      // A group of its own: git starts helpers, and an abort must reach them too.
      detached: platform !== 'win32',
      windowsHide: true,
    })
    const ended = Promise.withResolvers<{ exitCode: number | null; signal: string | null }>()
    child.once('error', (error) => ended.reject(gitMissing(gitbin, error)))
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
    child.stdin.on('error', () => {}) // git ended before it read all: its exit code tells
    child.stdin.end(stdin)
    try {
      const { exitCode, signal: by } = await ended.promise
      signal?.throwIfAborted()
      if (length > MAX_OUTPUT) throw gitOutputTooLong(action, MAX_OUTPUT)
      if (exitCode !== 0) throw gitFailed(action, { exitCode, signal: by, stderr: shown(stderr) })
      return Buffer.concat(out)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}

/** Of git's own variables only those that say how to reach a server: others (`GIT_DIR` in a hook) would lead it astray. */
function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (!entry[0].startsWith('GIT_') || KEPT.test(entry[0])),
  )
  return {
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes',
    ...Object.fromEntries(kept),
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  }
}

const KEPT = /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_.*|HTTP_.*|PROXY_.*|EXEC_PATH|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM))$/

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (platform === 'win32') spawn('taskkill', ['/pid', `${child.pid}`, '/T', '/F'], { windowsHide: true }).unref()
    else kill(-child.pid, 'SIGKILL') // SIGTERM would leave helpers that wait for a dead server
  } catch {
    // It has ended by itself.
  }
}
