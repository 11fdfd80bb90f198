import { CiError } from 'boltbot/plugin-sdk'

/** Diagnostics of all version control programs on the master. */

export const programMissing = (program: string, option: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_VC_MISSING',
    message: `The program "${program}" cannot be run: install it, or name it with the option ${option}.`,
    details: { program },
    cause,
  })

export const programFailed = (
  action: string,
  fields: { exitCode: number | null; signal: string | null; stderr: string },
) =>
  new CiError({
    code: 'BOLT_VC_FAILED',
    message: `"${action}" ${
      fields.signal === null ? `ended with exit code ${fields.exitCode}` : `was killed by ${fields.signal}`
    }: ${lastWords(fields.stderr)}.`,
    details: { action, ...fields },
  })

export const outputTooLong = (action: string, limit: number) =>
  new CiError({
    code: 'BOLT_VC_OUTPUT',
    message: `"${action}" printed more than ${limit} bytes.`,
    details: { action, limit },
    hint: 'Poll fewer branches.',
  })

export const outputUnreadable = (action: string, what: string) =>
  new CiError({
    code: 'BOLT_VC_UNREADABLE',
    message: `What "${action}" printed cannot be read: ${what}.`,
    details: { action, what },
    hint: 'See which version of the program it is; run the command by hand.',
  })

export const hostKeyRefused = (action: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_VC_HOST_KEY',
    message: `"${action}" was ended before anything was told to the server: its host key is none of those that are known for it.`,
    details: { action },
    hint: 'If the server has a new key, put the line that ssh-keyscan prints into sshKnownHosts; if not, somebody is in between.',
    cause,
  })

export const hookMisused = (system: string, expected: string) =>
  new CiError({
    code: 'BOLT_VC_HOOK',
    message: `"boltbot hook ${system}" was not called as a hook of ${system}: it needs ${expected}.`,
    details: { system, expected },
    hint: 'See how it is installed in docs/commit-hooks.md.',
  })

/** What a program says last is mostly a line that begins with `fatal:`, `abort:` or the like. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  // The first says what was wanted, the next what went wrong.
  const svn = lines.filter((line) => /^svn: E\d+: /.test(line))
  if (svn.length > 0)
    return svn
      .map((line, i) =>
        line
          .slice(i === 0 ? 0 : 5)
          .trim()
          .replace(/\.$/, ''),
      )
      .join('; ')
  // Git only says that it could not read; why stands before that.
  const unread = lines.findIndex((line) => /^fatal: Could not read from remote repository/.test(line))
  if (unread > 0) return lines[unread - 1]!.trim().replace(/\.$/, '')
  const said =
    lines.find((line) => /^(fatal|error|abort|svn|brz|darcs|cvs [^:]*aborted\]?):/i.test(line)) ?? lines.at(-1)
  return (said ?? 'it said nothing').trim().replace(/\.$/, '')
}
