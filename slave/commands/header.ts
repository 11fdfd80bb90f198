import type { CommandResult, ShellCommand } from '../../wire/agent/messages.ts'
import { type Ending, spanText } from './context.ts'

/** What stands above the output of a command: what is run, where, and what is changed in its environment. Secrets are hidden. */
export function shellHeader(command: ShellCommand, workdir: string): string {
  const hide = hiding(command.secrets ?? [])
  const limits = [
    command.timeout ? `${spanText(command.timeout)} without output` : '',
    command.maxTime ? `${spanText(command.maxTime)} in all` : '',
  ].filter((limit) => limit !== '')
  const env = Object.entries(command.env ?? {}).map(([name, value]) =>
    value === null ? `  ${name} removed\n` : `  ${name}=${quoted(hide(value))}\n`,
  )
  return [
    `$ ${commandLine(command.command, hide)}\n`,
    `in ${hide(workdir)}\n`,
    env.length > 0 ? `with in its environment:\n${env.join('')}` : '',
    limits.length > 0 ? `limit: ${limits.join(', ')}\n` : '',
  ].join('')
}

/** What stands below the output: how it ended. */
export function shellFooter(result: CommandResult, ending: Ending | undefined): string {
  const after = `after ${spanText(result.elapsed)}`
  const how =
    result.signal !== null
      ? `ended by ${result.signal} ${after}`
      : result.exitCode !== null
        ? `exited with code ${result.exitCode} ${after}`
        : `did not run`
  return ending ? `${ending.reason}\n${how}\n` : `${how}\n`
}

/** A command as one could type it. Words are hidden before they are quoted, as quoting may change a secret. */
function commandLine(command: string | readonly string[], hide: (text: string) => string): string {
  return typeof command === 'string' ? hide(command) : command.map((word) => quoted(hide(word))).join(' ')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function hiding(secrets: readonly string[]): (text: string) => string {
  const longestFirst = secrets.filter((secret) => secret !== '').sort((a, b) => b.length - a.length)
  return (text) => longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}
