import { optionMissing } from './errors.ts'
import { findPassword, type PasswordOptions } from './find-password.ts'
import { connectPb, type PbClient } from './pb-client.ts'
import { textOption, type UserOptions } from './user-options.ts'

export interface StatusPortOptions extends PasswordOptions {
  readonly master?: string
  /** Of the status port. */
  readonly user?: string
}

/** What status clients of Buildbot log in as. */
const USER = 'statusClient'

/** Logs in at a `pbListener`. @throws CiError as `connectPb`, `BOLT_CLI_OPTION_MISSING`. */
export async function connectStatusPort(
  options: StatusPortOptions,
  saved: UserOptions,
): Promise<PbClient & { readonly master: string }> {
  const master = options.master ?? textOption(saved, 'masterstatus')
  if (master === undefined) throw optionMissing('--master', '--master ci.example.org:9988')
  const user = options.user ?? textOption(saved, 'statusUsername') ?? USER
  const password = await findPassword(user, options, saved, 'statusPassword')
  return Object.assign(await connectPb({ master, user, password }), { master })
}
