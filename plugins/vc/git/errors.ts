import { CiError } from 'boltbot/plugin-sdk'

export const gitMissing = (gitbin: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_GIT_MISSING',
    message: `The program "${gitbin}" cannot be run: install git, or name it with the option gitbin.`,
    details: { gitbin },
    cause,
  })

export const gitFailed = (action: string, fields: { exitCode: number | null; signal: string | null; stderr: string }) =>
  new CiError({
    code: 'BOLT_GIT_FAILED',
    message: `"git ${action}" ${
      fields.signal === null ? `ended with exit code ${fields.exitCode}` : `was killed by ${fields.signal}`
    }: ${lastWords(fields.stderr)}.`,
    details: { action, ...fields },
  })

export const gitOutputTooLong = (action: string, limit: number) =>
  new CiError({
    code: 'BOLT_GIT_OUTPUT',
    message: `"git ${action}" printed more than ${limit} bytes.`,
    details: { action, limit },
    hint: 'Poll fewer branches.',
  })

/** What git says last is mostly a line that begins with `fatal:` or `error:`. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const said = lines.find((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? 'it said nothing'
  return said.trim().replace(/\.$/, '')
}
