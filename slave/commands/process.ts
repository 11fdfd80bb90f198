import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { ShellCommand } from '../../wire/agent/messages.ts'
import { Problem, reasonOf } from '../problem.ts'
import { createProcessTree, MARK, type ProcessTree, withMark } from '../processes.ts'
import type { CommandContext, Ending } from './context.ts'

/** A process with all its children, from start to end. */
export interface Finished {
  readonly exitCode: number | null
  readonly signal: string | null
  /** Set when it was ended before its time. */
  readonly ending: Ending | undefined
}

/** How long output is waited for after the process is gone: what it left behind in the background may hold its pipes for ever. */
const LINGER_MS = 3000
const SIGTERM_MS = 5000
const SURVIVORS_MS = 100

/**
 * Runs the process of a command in `workdir` and resolves when it and its output are done. When it is ended before its time the
 * whole tree gets SIGTERM, and SIGKILL if something is left after `sigtermTime`; it resolves when nothing is left.
 * @throws Problem when it cannot be started.
 */
export async function runProcess(command: ShellCommand, workdir: string, context: CommandContext): Promise<Finished> {
  const { clock, signal } = context
  const child = await start(command, workdir, context)
  const tree = createProcessTree(child.pid!, context.mark, context.platform)
  const exited = Promise.withResolvers<{ exitCode: number | null; signal: string | null }>()
  const closed = Promise.withResolvers<void>()
  let lastOutput = clock.now()
  child.on('exit', (exitCode, name) => exited.resolve({ exitCode, signal: name }))
  child.on('close', () => closed.resolve())
  child.on('error', () => {}) // of a signal that could not be sent: the process is gone

  const heard = () => {
    lastOutput = clock.now()
  }
  pass(child.stdout, command.wantStdout === false ? undefined : (data) => context.output('stdout', data), heard)
  pass(child.stderr, command.wantStderr === false ? undefined : (data) => context.output('stderr', data), heard)

  const ending = Promise.withResolvers<Ending>()
  using timers = new DisposableStack()
  timers.adopt(
    watchLimits(command, context, () => lastOutput, ending.resolve),
    (stop) => stop(),
  )
  const abort = () => ending.resolve(signal.reason as Ending) // only `held-command.ts` aborts it
  signal.addEventListener('abort', abort)
  timers.defer(() => signal.removeEventListener('abort', abort))
  if (signal.aborted) abort()

  const over = exited.promise.then(() => drained(child, closed.promise, context, () => lastOutput))
  const early = await Promise.race([over, ending.promise])
  if (early) await endTree(tree, over, command.sigtermTime ?? SIGTERM_MS, context)
  return { ...(await exited.promise), ending: early || undefined }
}

/** Starts it: the leader of a group of its own, without a window, its input closed unless there is some. */
async function start(command: ShellCommand, workdir: string, context: CommandContext): Promise<ChildProcess> {
  const words = typeof command.command === 'string' ? undefined : command.command
  const options = {
    cwd: workdir,
    env: environment(command, context),
    detached: context.platform !== 'win32',
    windowsHide: true,
    stdio: [command.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] as ('pipe' | 'ignore')[],
  }
  const name = words ? words[0]! : 'the shell'
  try {
    const child = words
      ? spawn(words[0]!, words.slice(1), options)
      : spawn(command.command as string, { ...options, shell: true }) // a text: no list of words
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.stdin?.on('error', () => {}) // it may end without reading
    child.stdin?.end(command.stdin)
    return child
  } catch (error) {
    throw new Problem(`Could not start "${name}": ${notFound(error) ?? reasonOf(error)}.`)
  }
}

function notFound(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such program' : undefined
}

function environment(command: ShellCommand, context: CommandContext): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...context.environment }
  for (const [name, value] of Object.entries(command.env ?? {})) {
    if (value === null) delete env[name]
    else env[name] = value
  }
  env[MARK] = withMark(context.environment[MARK], context.mark)
  return env
}

/** Hands the bytes on as they come, no faster than they are taken. */
function pass(
  from: Readable | null,
  take: ((data: Uint8Array) => Promise<void> | undefined) | undefined,
  heard: () => void,
): void {
  from?.on('error', () => {}) // `close` comes as well
  from?.on('data', (data: Buffer) => {
    heard()
    const wait = take?.(data)
    if (wait === undefined) return
    from.pause()
    void wait.then(() => from.resume())
  })
}

/** Calls `end` when the command is silent or runs for too long; returns what stops the watch. */
function watchLimits(
  { timeout, maxTime }: ShellCommand,
  { clock }: CommandContext,
  lastOutput: () => number,
  end: (ending: Ending) => void,
): () => void {
  let silence: Disposable | undefined
  const watch = (limit: number) => {
    const left = lastOutput() + limit - clock.now()
    if (left <= 0) end({ cause: 'timeout', reason: `stopped: no output for ${limit / 1000} s` })
    else silence = clock.timer(left, () => watch(limit))
  }
  if (timeout) watch(timeout)
  const total = maxTime
    ? clock.timer(maxTime, () => end({ cause: 'maxTime', reason: `stopped: not done after ${maxTime / 1000} s` }))
    : undefined
  return () => {
    silence?.[Symbol.dispose]()
    total?.[Symbol.dispose]()
  }
}

/** Resolves when the output is at its end, or when nothing came for a while and only others can still hold it. */
function drained(
  child: ChildProcess,
  closed: Promise<void>,
  { clock }: CommandContext,
  lastOutput: () => number,
): Promise<void> {
  const given = Promise.withResolvers<void>()
  let timer: Disposable
  const gone = clock.now()
  const look = () => {
    const quiet = clock.now() - Math.max(lastOutput(), gone)
    if (quiet < LINGER_MS) {
      timer = clock.timer(LINGER_MS - quiet, look)
      return
    }
    child.stdout?.destroy()
    child.stderr?.destroy()
    given.resolve()
  }
  look()
  return Promise.race([closed, given.promise]).finally(() => timer[Symbol.dispose]())
}

/** Ends the tree; resolves when nothing of it is left and its output is done. */
async function endTree(tree: ProcessTree, over: Promise<void>, grace: number, context: CommandContext): Promise<void> {
  const { clock } = context
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.timer(ms, resolve))
  const deadline = clock.now() + grace
  let left = await tree.signal('SIGTERM')
  while (left > 0 && clock.now() < deadline) {
    await pause(Math.min(SURVIVORS_MS, deadline - clock.now()))
    left = await tree.count()
  }
  // What forks while it is being killed is met in the next round.
  for (let round = 0; left > 0 && round < 50; round++) {
    left = await tree.signal('SIGKILL')
    if (left > 0) await pause(20)
  }
  await over
}
