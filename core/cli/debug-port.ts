import type { Command } from 'commander'
import { plainOf } from '../../wire/pb/plain.ts'
import { NO_SUCH_METHOD, RemoteError } from '../../wire/pb/remote-error.ts'
import type { Value } from '../../wire/pb/values.ts'
import { optionMissing } from './errors.ts'
import { findPassword } from './find-password.ts'
import { connectPb, remoteProblem } from './pb-client.ts'
import { readUserOptions, textOption } from './user-options.ts'

/** Of a master elsewhere; in front of the command (`boltbot --master … reload`) or behind it. */
export interface ElsewhereOptions {
  readonly master?: string
  readonly passwd?: string
  readonly passwdFile?: string
}

export const elsewhereOptions = (command: Command): Command =>
  command
    .option(
      '--master <host:port>',
      'a master elsewhere, for reload, force, change and poke-irc: where its debugPort listens',
    )
    .option('--passwd <password>', 'its debug password; asked for when left out')
    .option('--passwd-file <file>', 'a file with it: others see what stands on a command line')

/** The options of a command with those in front of it. */
export const withElsewhere = <T extends object>(command: Command): T & ElsewhereOptions => command.optsWithGlobals()

const USER = 'debug'

/**
 * Calls a method of a debug port, of a master of ours or an old Buildbot.
 * @throws CiError as `connectPb`, `BOLT_CLI_PB_FAILED`, `BOLT_CLI_OPTION_MISSING`.
 */
export async function callDebugPort(
  options: ElsewhereOptions,
  ...calls: readonly (readonly [method: string, ...args: readonly Value[]])[]
): Promise<unknown> {
  const saved = readUserOptions(process.cwd())
  const master = options.master ?? textOption(saved, 'master')
  if (master === undefined) throw optionMissing('--master', '--master ci.example.org:9989')
  const password = await findPassword(USER, options, saved, 'debugPassword')
  using client = await connectPb({ master, user: USER, password })
  /** The next one is for masters that do not have the first. */
  async function call([[method, ...args] = ['print'], ...others]: typeof calls): Promise<Value> {
    try {
      return await client.perspective.call(method, args)
    } catch (error) {
      if (others.length > 0 && error instanceof RemoteError && isMissing(error)) return call(others)
      throw remoteProblem(master!, error)
    }
  }
  return plainOf(await Promise.race([call(calls), client.lost]))
}

const isMissing = (error: RemoteError) =>
  [NO_SUCH_METHOD, 'builtins.AttributeError', 'exceptions.AttributeError'].some((type) => error.is(type))
