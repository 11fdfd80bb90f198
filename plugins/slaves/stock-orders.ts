import type { Command, ShellCommandSpec } from 'boltbot/plugin-sdk'
import { insidePath, type PathStyle, strictlyInsidePath } from './stock-paths.ts'

/** One thing for a stock worker to do. Paths are checked, relative to the builder's directory, in the worker's style. */
export type StockOrder =
  | { readonly kind: 'shell'; readonly workdir: string; readonly shell: ShellCommandSpec }
  | { readonly kind: 'mkdir' | 'rmdir' | 'rmfile' | 'stat'; readonly path: string }
  | { readonly kind: 'cpdir'; readonly from: string; readonly to: string }
  | { readonly kind: 'glob'; readonly pattern: string }
  | { readonly kind: 'upload'; readonly path: string; readonly maxSize: number | null }
  | { readonly kind: 'download'; readonly path: string; readonly maxSize: number | null; readonly mode: number | null }

/** A path that a command must not have. */
export class BadPath extends Error {}

/** What a stock worker must be told, one after the other, for a command of ours. @throws BadPath */
export function ordersOf(command: Command, style: PathStyle): readonly StockOrder[] {
  const at = (path: string) => insidePath(path, style) ?? refuse(path)
  const below = (path: string) => strictlyInsidePath(path, style) ?? refuse(path)
  switch (command.kind) {
    case 'shell':
      return [{ kind: 'shell', workdir: at(command.workdir ?? 'build'), shell: command }]
    case 'mkdir':
      return command.paths.map((path) => ({ kind: 'mkdir', path: at(path) }))
    case 'rmdir':
    case 'rmfile':
      return command.paths.map((path) => ({ kind: command.kind, path: below(path) }))
    case 'cpdir': {
      const to = below(command.to)
      return [
        { kind: 'rmdir', path: to },
        { kind: 'cpdir', from: at(command.from), to },
      ]
    }
    case 'stat':
      return [{ kind: 'stat', path: at(command.path) }]
    case 'glob':
      return [{ kind: 'glob', pattern: at(command.pattern) }]
    case 'upload':
      return [{ kind: 'upload', path: below(command.path), maxSize: command.maxSize ?? null }]
    case 'download': {
      const { maxSize = null, mode = null } = command
      return [{ kind: 'download', path: below(command.path), maxSize, mode }]
    }
  }
}

function refuse(path: string): never {
  throw new BadPath(`The path "${path}" leaves the builder's directory, or is that directory itself.`)
}

/** A word of a command that is shown otherwise than it is run. */
export interface HiddenWord {
  readonly real: string
  readonly shown: string
}

/** Arguments of the worker's command `shell` that are the same in all its protocols; the working directory is not among them. */
export interface ShellArguments {
  readonly command: string | readonly (string | HiddenWord)[]
  readonly env: Readonly<Record<string, string | null>>
  readonly want_stdout: boolean
  readonly want_stderr: boolean
  readonly logfiles: Readonly<Record<string, never>>
  readonly timeout: number | null
  readonly maxTime: number | null
  readonly sigtermTime: number
  readonly usePTY: boolean
  readonly logEnviron: boolean
  readonly initial_stdin: string | null
}

const SIGTERM_MS = 5000

export function shellArguments(shell: ShellCommandSpec): ShellArguments {
  return {
    command: typeof shell.command === 'string' ? shell.command : shell.command.map(wordHider(shell.secrets ?? [])),
    env: shell.env ?? {},
    want_stdout: shell.wantStdout ?? true,
    want_stderr: shell.wantStderr ?? true,
    logfiles: {},
    timeout: seconds(shell.timeout ?? null),
    maxTime: seconds(shell.maxTime ?? null),
    sigtermTime: (shell.sigtermTime ?? SIGTERM_MS) / 1000,
    usePTY: false,
    // The worker would show the secrets of its own environment.
    logEnviron: false,
    initial_stdin: shell.stdin ?? null,
  }
}

const seconds = (ms: number | null) => (ms === null ? null : ms / 1000)

function wordHider(secrets: readonly string[]): (word: string) => string | HiddenWord {
  const longestFirst = secrets.filter((secret) => secret !== '').sort((a, b) => b.length - a.length)
  return (word) => {
    const shown = longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), word)
    return shown === word ? word : { real: word, shown }
  }
}
