import type { Json } from './json.ts'

/** What a step asks a slave to do. Paths are relative to the builder's directory on the slave; `..` may not leave it. */
export type Command =
  | ShellCommandSpec
  | { readonly kind: 'mkdir' | 'rmdir' | 'rmfile'; readonly paths: readonly string[] }
  /** Copies a folder; the target is removed first. */
  | { readonly kind: 'cpdir'; readonly from: string; readonly to: string }
  /** `data` of the result: `{ type: 'file' | 'directory' | 'other', size, mtime }`, or null when there is none. */
  | { readonly kind: 'stat'; readonly path: string }
  /** `data` of the result: the matching paths, sorted. */
  | { readonly kind: 'glob'; readonly pattern: string }
  /** Slave to master: the bytes go to `CommandIo.receive`. */
  | { readonly kind: 'upload'; readonly path: string; readonly maxSize?: number }
  /** Master to slave: the bytes come from `CommandIo.provide`; written to a temporary name, synced, renamed. */
  | { readonly kind: 'download'; readonly path: string; readonly mode?: number; readonly maxSize?: number }

/** A program to be run on the slave. */
export interface ShellCommandSpec {
  readonly kind: 'shell'
  /** A list is run as it is; a string goes to the slave's shell. */
  readonly command: string | readonly string[]
  /** Made if missing; default `build`. */
  readonly workdir?: string
  /** On top of the slave's environment; `null` removes a variable. */
  readonly env?: Readonly<Record<string, string | null>>
  /** Ended when it printed nothing for so many ms; `null`: never. */
  readonly timeout?: number | null
  /** Ended after so many ms in all; `null`: never. */
  readonly maxTime?: number | null
  /** ms between SIGTERM and SIGKILL; default 5000. */
  readonly sigtermTime?: number
  readonly wantStdout?: boolean
  readonly wantStderr?: boolean
  /** Text for its standard input; default: closed at once. */
  readonly stdin?: string
  /** Passwords and the like that it is called with: `***` stands for them in the header of its log, and from then on in all logs. */
  readonly secrets?: readonly string[]
}

/** `stdout` and `stderr` are the command's own; `header` is what the slave or master says about it. */
export type Stream = 'stdout' | 'stderr' | 'header'

/** How a command ended. A command that ran and failed is a result, not an error. */
export interface CommandResult {
  /** Exit code, or `null` when a signal ended it or it never started. */
  readonly exitCode: number | null
  readonly signal: string | null
  /** `exit`: by itself; `timeout`, `maxTime`, `interrupted`: ended by us; `error`: could not be done, see `error`. */
  readonly cause: 'exit' | 'timeout' | 'maxTime' | 'interrupted' | 'error'
  readonly error: string | null
  /** ms. */
  readonly elapsed: number
  /** What `stat` and `glob` found. */
  readonly data: Json
}

/** Where a command's bytes go and come from. Each call is awaited before the next of the same log. */
export interface CommandIo {
  /**
   * Output of one log. `offset` counts the bytes of this command's log before `data`; after a broken link the same bytes may
   * come again, and what was there already must be ignored. Resolves when the bytes are stored: only then are they acknowledged.
   */
  output(log: string, stream: Stream, offset: number, data: Uint8Array): Promise<void>
  /** Bytes of an `upload`, in order. Awaited before the next. */
  receive?(offset: number, data: Uint8Array): Promise<void>
  /** Bytes for a `download`; empty at the end. Awaited before the next. */
  provide?(offset: number, length: number): Promise<Uint8Array>
}

/** Names one command of one try of one build; stays the same over broken links and restarts. */
export interface CommandId {
  /** Id of the build. */
  readonly build: number
  /** Counts the tries of the build. */
  readonly epoch: number
  /** Number of the step, from 0. */
  readonly step: number
  /** Counts the commands of the step from 0. */
  readonly index: number
}
