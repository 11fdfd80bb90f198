import { commandProblem } from '../../wire/agent/command-shape.ts'
import type { Command, CommandResult } from '../../wire/agent/messages.ts'
import { Problem } from '../problem.ts'
import { type CommandContext, failed } from './context.ts'
import { runFileCommand } from './files.ts'
import { runShell } from './shell.ts'
import { runTransfer } from './transfer.ts'

/** Runs a command of any kind. Never rejects: what could not be done is a result with cause `error`. */
export async function runCommand(command: Command, context: CommandContext): Promise<CommandResult> {
  const problem = commandProblem(command)
  if (problem !== undefined) return failed(new Problem(problem), 0)
  try {
    switch (command.kind) {
      case 'shell':
        return await runShell(command, context)
      case 'upload':
      case 'download':
        return await runTransfer(command, context)
      default:
        return await runFileCommand(command, context)
    }
  } catch (error) {
    return failed(error, 0)
  }
}
