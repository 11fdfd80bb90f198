import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { ShellCommand, Stream } from '../../wire/agent/messages.ts'
import { Problem, reasonOf } from '../problem.ts'
import { MARK, withMark } from '../processes.ts'
import { type CommandContext, say } from './context.ts'

/** A process that runs: the leader of a group of its own. */
export interface StartedProcess {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** The output is at its end. */
  readonly closed: Promise<void>
  /** Reads no more: others may hold the output open for ever. */
  abandon(): void
}

export interface Exit {
  readonly exitCode: number | null
  readonly signal: string | null
}

/** Takes what the process says; a promise when it should wait before it says more. */
export type Take = (stream: Stream, data: Uint8Array) => Promise<void> | undefined

/** Starts the process of a command, on a pseudo-terminal if this slave uses them. @throws Problem when it cannot be started. */
export async function startProcess(
  command: ShellCommand,
  workdir: string,
  context: CommandContext,
  take: Take,
): Promise<StartedProcess> {
  const onTerminal = context.usePty && !command.stdin && context.platform !== 'win32'
  const terminal = onTerminal ? await loadTerminal() : undefined
  if (onTerminal && !terminal) say(context, 'no pseudo-terminal here: @lydell/node-pty is not installed\n')
  return terminal
    ? startOnTerminal(terminal, command, workdir, context, take)
    : await startOnPipes(command, workdir, context, take)
}

/** Without a window, its input closed unless there is some. */
async function startOnPipes(
  command: ShellCommand,
  workdir: string,
  context: CommandContext,
  take: Take,
): Promise<StartedProcess> {
  const words = typeof command.command === 'string' ? undefined : command.command
  const options = {
    cwd: workdir,
    env: environment(command, context),
    detached: context.platform !== 'win32',
    windowsHide: true,
    stdio: [command.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] as ('pipe' | 'ignore')[],
  }
  try {
    const child = words
      ? spawn(words[0]!, words.slice(1), options)
      : spawn(command.command as string, { ...options, shell: true }) // a text: no list of words
    const exited = new Promise<Exit>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
    })
    const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()))
    pass(child.stdout, (data) => take('stdout', data))
    pass(child.stderr, (data) => take('stderr', data))
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.on('error', () => {}) // of a signal that could not be sent: the process is gone
    child.stdin?.on('error', () => {}) // it may end without reading
    child.stdin?.end(command.stdin)
    const abandon = () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }
    return { pid: child.pid!, exited, closed, abandon }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Problem(
      `Could not start "${words ? words[0] : 'the shell'}": ${missing ? 'there is no such program' : reasonOf(error)}.`,
    )
  }
}

/** Hands the bytes on as they come, no faster than they are taken. */
function pass(from: Readable | null, take: (data: Uint8Array) => Promise<void> | undefined): void {
  from?.on('error', () => {}) // `close` comes as well
  from?.on('data', (data: Buffer) => {
    const wait = take(data)
    if (wait === undefined) return
    from.pause()
    void wait.then(() => from.resume())
  })
}

type Terminal = typeof import('@lydell/node-pty')

async function loadTerminal(): Promise<Terminal | undefined> {
  try {
    return await import('@lydell/node-pty')
  } catch {
    return undefined // it is optional, and not there for every system
  }
}

/** On a terminal there is one stream for all, with the line ends of terminals. */
function startOnTerminal(
  terminal: Terminal,
  command: ShellCommand,
  workdir: string,
  context: CommandContext,
  take: Take,
): StartedProcess {
  const words = typeof command.command === 'string' ? ['/bin/sh', '-c', command.command] : command.command
  const exit = Promise.withResolvers<Exit>()
  const env = environment(command, context)
  try {
    const options = { name: 'xterm', cols: 80, rows: 24, cwd: workdir, env, encoding: null }
    const child = terminal.spawn(words[0]!, words.slice(1), options)
    child.onExit(({ exitCode, signal }) =>
      exit.resolve(signal ? { exitCode: null, signal: signalName(signal) } : { exitCode, signal: null }),
    )
    child.onData((data) => {
      const wait = take('stdout', data as unknown as Buffer) // bytes, as no encoding is asked for
      if (wait === undefined) return
      child.pause()
      void wait.then(() => child.resume())
    })
    // The exit of a terminal's process is told after the last of its output.
    const closed = exit.promise.then(() => {})
    return { pid: child.pid, exited: exit.promise, closed, abandon: () => child.kill() }
  } catch (error) {
    throw new Problem(`Could not start "${words[0]}": ${reasonOf(error)}.`)
  }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`
}

function environment(command: ShellCommand, context: CommandContext): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...context.environment, ...command.env }))
    if (value !== null && value !== undefined) env[name] = value
  env[MARK] = withMark(context.environment[MARK], context.mark)
  return env
}
