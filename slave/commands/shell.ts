import { mkdirSync } from 'node:fs'
import type { CommandResult, ShellCommand } from '../../wire/agent/messages.ts'
import { Problem, reasonOf } from '../problem.ts'
import { type CommandContext, failed, say } from './context.ts'
import { shellFooter, shellHeader } from './header.ts'
import { inside } from './paths.ts'
import { runProcess } from './process.ts'

const WORKDIR = 'build'

/** Runs a command of a step. A command that ran and failed is a result like any other; what could not be run has cause `error`. */
export async function runShell(command: ShellCommand, context: CommandContext): Promise<CommandResult> {
  const begin = context.clock.now()
  const elapsed = () => context.clock.now() - begin
  try {
    const workdir = workdirOf(command, context)
    say(context, shellHeader(command, workdir))
    const { exitCode, signal, ending } = await runProcess(command, workdir, context)
    const result: CommandResult = {
      exitCode,
      signal,
      cause: ending?.cause ?? 'exit',
      error: ending?.cause === 'error' ? ending.reason : null,
      elapsed: elapsed(),
      data: null,
    }
    say(context, shellFooter(result, ending))
    return result
  } catch (error) {
    say(context, `${reasonOf(error)}\n`)
    return failed(error, elapsed())
  }
}

function workdirOf(command: ShellCommand, context: CommandContext): string {
  const workdir = inside(context.directory, command.workdir ?? WORKDIR)
  try {
    mkdirSync(workdir, { recursive: true })
  } catch (error) {
    throw new Problem(`The working directory "${workdir}" cannot be made: ${reasonOf(error)}.`)
  }
  return workdir
}
