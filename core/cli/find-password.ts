import { readFileSync } from 'node:fs'
import { askPassword } from './ask-password.ts'
import { fileUnreadable } from './errors.ts'
import { textOption, type UserOptions } from './user-options.ts'

export interface PasswordOptions {
  readonly passwd?: string
  readonly passwdFile?: string
}

/** For scripts: nobody else sees the environment of a process. */
const VARIABLE = 'BOLTBOT_PASSWD'

/**
 * A password for a master elsewhere: from a file, the command line, the environment, an options file (`names` in it), or asked for. What
 * stands on the command line is taken out of the list of processes, where it was to be seen for a moment.
 */
export async function findPassword(
  user: string,
  { passwd, passwdFile }: PasswordOptions,
  saved: UserOptions,
  ...names: readonly string[]
): Promise<string> {
  if (passwd !== undefined) process.title = 'boltbot'
  if (passwdFile !== undefined) return readPassword(passwdFile)
  return (
    passwd ??
    process.env[VARIABLE] ??
    textOption(saved, ...names) ??
    (await askPassword(user, '--passwd-file', '~/.boltbot/password'))
  )
}

function readPassword(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw fileUnreadable(file, error)
  }
}
