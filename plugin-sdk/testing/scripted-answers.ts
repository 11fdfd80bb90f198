import type { Command, CommandId, CommandResult, Stream } from '../command.ts'

/**
 * What a scripted slave does when it is asked for a command. Of the parts given, in this order: `output` is printed, `upload`
 * is sent or the download is taken in, `run` is called, `drop` breaks the link, `hang` waits; then `result`.
 */
export interface ScriptedAnswer {
  /** Which commands: the text (see {@link commandText}) contains it, matches it, or the function says so. Default: all. */
  readonly match?: string | RegExp | ((command: Command, builder: string) => boolean)
  /** How many commands it answers; default: any number. Then the next answer that matches takes over. */
  readonly times?: number
  /** Printed: text goes to stdout of the log `stdio`. */
  readonly output?: string | readonly (string | ScriptedOutput)[]
  /** The bytes of an `upload`. Default: none. */
  readonly upload?: string | Uint8Array
  /** Does more than the other fields can say. What it returns wins over `result`. Awaited. */
  readonly run?: (context: ScriptedCommand) => Promise<ScriptedResult | undefined>
  /** Breaks the link; the command itself goes on when the slave is resumable. */
  readonly drop?: boolean | string
  /** Runs until it is interrupted or the test calls `finish`. */
  readonly hang?: boolean
  /** Takes no notice of `interrupt`. */
  readonly deaf?: boolean
  /** `run` rejects with this: the transport itself is broken. */
  readonly throws?: unknown
  /** How it ends; default exit code 0. */
  readonly result?: ScriptedResult
}

/** An exit code, or fields of the result; the rest is that of a clean exit. */
export type ScriptedResult = number | Partial<CommandResult>

/** Something that a scripted command prints. */
export interface ScriptedOutput {
  readonly log?: string
  readonly stream?: Stream
  readonly data: string | Uint8Array
}

/** A command while it runs on the scripted slave. */
export interface ScriptedCommand {
  readonly id: CommandId
  readonly builder: string
  readonly command: Command
  /** Aborted by `interrupt`. */
  readonly signal: AbortSignal
  /** Prints. Resolves when the master took it, or at once while the link is down. */
  print(data: string | Uint8Array, to?: { readonly log?: string; readonly stream?: Stream }): Promise<void>
  /** Breaks the link now. */
  drop(reason?: string): void
}

/** What a scripted slave answers: the first of a list that fits and is not used up, or what a function says of each command. */
export type ScriptedAnswers = readonly ScriptedAnswer[] | ((command: Command, builder: string) => ScriptedAnswer)

/** The answer to each command as it comes. */
export function createAnswers(answers: ScriptedAnswers): (command: Command, builder: string) => ScriptedAnswer {
  if (typeof answers === 'function') return answers
  const used = new Map<ScriptedAnswer, number>()
  return (command, builder) => {
    for (const answer of answers) {
      const count = used.get(answer) ?? 0
      if (count >= (answer.times ?? Number.POSITIVE_INFINITY) || !fits(answer.match, command, builder)) continue
      used.set(answer, count + 1)
      return answer
    }
    return {}
  }
}

/**
 * A command in words: `make all`, `mkdir build`, `cpdir source build`.
 * @example commandText({ kind: 'mkdir', paths: ['a'] }) // 'mkdir a'
 */
export function commandText(command: Command): string {
  switch (command.kind) {
    case 'shell':
      return typeof command.command === 'string' ? command.command : command.command.join(' ')
    case 'mkdir':
    case 'rmdir':
    case 'rmfile':
      return [command.kind, ...command.paths].join(' ')
    case 'cpdir':
      return `cpdir ${command.from} ${command.to}`
    case 'glob':
      return `glob ${command.pattern}`
    default:
      return `${command.kind} ${command.path}`
  }
}

export function completeResult(result: ScriptedResult | undefined, elapsed: number): CommandResult {
  const fields = typeof result === 'number' ? { exitCode: result } : result
  return { exitCode: 0, signal: null, cause: 'exit', error: null, data: null, elapsed, ...fields }
}

function fits(match: ScriptedAnswer['match'], command: Command, builder: string): boolean {
  if (match === undefined) return true
  if (typeof match === 'function') return match(command, builder)
  return typeof match === 'string' ? commandText(command).includes(match) : match.test(commandText(command))
}
