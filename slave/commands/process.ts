import type { ShellCommand } from '../../wire/agent/messages.ts'
import { createProcessTree, type ProcessTree } from '../processes.ts'
import type { CommandContext, Ending } from './context.ts'
import { type Exit, type StartedProcess, startProcess } from './start-process.ts'

/** A process with all its children, from start to end. */
export interface Finished extends Exit {
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
  let lastOutput = clock.now()
  const child = await startProcess(command, workdir, context, (stream, data) => {
    lastOutput = clock.now()
    const wanted = stream === 'stdout' ? command.wantStdout : command.wantStderr
    return wanted === false ? undefined : context.output(stream, data)
  })
  const tree = createProcessTree(child.pid, context.mark, context.platform)

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

  const over = child.exited.then(() => drained(child, context, () => lastOutput))
  const early = await Promise.race([over, ending.promise])
  if (early) await endTree(tree, over, command.sigtermTime ?? SIGTERM_MS, context)
  return { ...(await child.exited), ending: early || undefined }
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
function drained(child: StartedProcess, { clock }: CommandContext, lastOutput: () => number): Promise<void> {
  const given = Promise.withResolvers<void>()
  let timer: Disposable
  const gone = clock.now()
  const look = () => {
    const quiet = clock.now() - Math.max(lastOutput(), gone)
    if (quiet < LINGER_MS) {
      timer = clock.timer(LINGER_MS - quiet, look)
      return
    }
    child.abandon()
    given.resolve()
  }
  look()
  return Promise.race([child.closed, given.promise]).finally(() => timer[Symbol.dispose]())
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
