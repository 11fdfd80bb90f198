import {
  type CommandResult,
  formatDuration,
  type Result,
  type RunOptions,
  type StepContext,
  type StepOutcome,
} from 'boltbot/plugin-sdk'
import type { Shell } from './options.ts'

/** Runs the command of a step of this family. */
export function runShell(context: StepContext, shell: Shell, options?: RunOptions): Promise<CommandResult> {
  const { timeout, maxTime, sigtermTime, wantStdout, wantStderr } = shell
  const command = context.render<string | readonly string[]>(shell.command)
  const workdir = context.render<string>(shell.workdir)
  const env = context.render<Record<string, string | null>>(shell.env)
  const limits = { timeout, maxTime, sigtermTime, wantStdout, wantStderr }
  return context.run({ kind: 'shell', command, workdir, env, ...limits }, options)
}

/** What came of the command, for the build and in words. */
export function outcomeOf(ended: CommandResult, shell: Shell): StepOutcome {
  const why = endInWords(ended, shell)
  return { result: resultOf(ended, shell), ...(why !== undefined && { detail: [`(${why})`] }) }
}

function resultOf({ cause, exitCode }: CommandResult, { decodeRC }: Shell): Result {
  // Without the build being stopped, only the slave itself interrupts a command: no verdict on the code.
  if (cause === 'interrupted') return 'exception'
  if (cause !== 'exit' || exitCode === null) return 'failure'
  return decodeRC[exitCode] ?? (exitCode === 0 ? 'success' : 'failure')
}

function endInWords({ cause, signal, error }: CommandResult, { timeout, maxTime }: Shell): string | undefined {
  switch (cause) {
    case 'timeout':
      return `timed out, no output for ${formatDuration(timeout ?? 0)}`
    case 'maxTime':
      return `stopped, it took longer than ${formatDuration(maxTime ?? 0)}`
    case 'interrupted':
      return 'interrupted on the slave'
    case 'error':
      return error ?? 'it could not be run'
    case 'exit':
      return signal === null ? undefined : `killed by ${signal}`
  }
}
