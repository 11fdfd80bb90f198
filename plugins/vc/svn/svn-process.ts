import { programEnvironment } from '../environment.ts'
import { passwordLine } from '../login.ts'
import { createProgram, type Program } from '../program.ts'

export interface SvnLogin {
  readonly user?: string | undefined
  /** Given to svn by its standard input: a command line can be read by all users of a machine. */
  readonly password?: (() => string) | undefined
  /** Texts that must not stand in error messages, and what to show instead. */
  readonly hide?: ReadonlyMap<string, string>
}

/** Svn 1.10 or newer, when there is a password. @throws CiError as `createProgram`. */
export function createSvn(bin: string, { user, password, hide = new Map() }: SvnLogin = {}): Program {
  const run = createProgram({ bin, option: 'svnbin', env: svnEnvironment, hide })
  const login = [
    ...(user === undefined ? [] : ['--username', user]),
    ...(password === undefined ? [] : ['--password-from-stdin']),
  ]
  return (args, how) =>
    run([...args, '--non-interactive', '--no-auth-cache', ...login], {
      ...how,
      ...(password !== undefined && { stdin: passwordLine(password()) }),
    })
}

const svnEnvironment = () => programEnvironment(/^SVN_/, /^SVN_SSH$/, {})
