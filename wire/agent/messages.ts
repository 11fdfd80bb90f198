/**
 * What a slave agent and a master say to each other, one map per WebSocket message. The agent dials.
 *
 * Login: agent `hello` → master `challenge` → agent `proof` → master `welcome` → agent `ready`. Each side proves that it knows the
 * password before the other believes it anything.
 *
 * A command belongs to the agent: it goes on while there is no link, and is kept until `forget`. Its output is numbered by byte
 * offsets per log; the master acknowledges what it has stored, and asks with `resume` for what it misses.
 */
export const PROTOCOL_VERSION = 2
/** Of the oldest agents that a master still takes. An agent takes no older master: masters are upgraded first. */
export const OLDEST_AGENT = 1

/** Said by the agent. */
export type AgentMessage =
  | { readonly t: 'hello'; readonly version: number; readonly name: string; readonly nonce: Uint8Array }
  | { readonly t: 'proof'; readonly proof: Uint8Array }
  | {
      readonly t: 'ready'
      readonly admin: string | null
      readonly host: string | null
      readonly program: string | null
      /** Seconds between two signs of life of the agent; 0: it gives none. */
      readonly keepalive: number
      readonly held: readonly HeldEntry[]
      /** Names the place where it keeps commands: one with another name does not have them. */
      readonly instance?: string | null
    }
  /** Answer to a message with the same `request`. */
  | { readonly t: 'done'; readonly request: number; readonly error: string | null }
  | {
      readonly t: 'output'
      readonly id: CommandId
      readonly log: string
      readonly stream: Stream
      readonly offset: number
      readonly data: Uint8Array
    }
  /** Bytes of a file that goes to the master. */
  | { readonly t: 'upload'; readonly id: CommandId; readonly offset: number; readonly data: Uint8Array }
  /** Asks for bytes of a file that comes from the master. */
  | { readonly t: 'want'; readonly id: CommandId; readonly offset: number; readonly length: number }
  /** Sent after all output; sent again at each `resume`, until `forget`. */
  | { readonly t: 'result'; readonly id: CommandId; readonly result: CommandResult }
  /** The master asked for a command that the agent does not have; also for one to be run that it had and lost when it was restarted. */
  | { readonly t: 'unknown'; readonly id: CommandId }
  /** Asks to be given no more builds, and to be told `shutdown` when nothing runs any more. */
  | { readonly t: 'leave'; readonly reason: string }
  | { readonly t: 'ping'; readonly n: number }
  | { readonly t: 'pong'; readonly n: number }
  /** The last words before the agent closes the link. */
  | { readonly t: 'bye'; readonly reason: string }

/** Said by the master. */
export type MasterMessage =
  | { readonly t: 'challenge'; readonly version: number; readonly nonce: Uint8Array }
  | { readonly t: 'welcome'; readonly proof: Uint8Array }
  | { readonly t: 'builders'; readonly request: number; readonly builders: readonly BuilderEntry[] }
  | { readonly t: 'run'; readonly id: CommandId; readonly builder: string; readonly command: Command }
  | {
      readonly t: 'resume'
      readonly id: CommandId
      readonly offsets: Readonly<Record<string, number>>
      /**
       * Of a master that is another process than the one that began it: what it would ask for now, and for each log with an offset how many
       * of the bytes before it are of each stream. Another command is `unknown`; a log with other bytes is sent from its beginning.
       */
      readonly digest?: string | null
      readonly streams?: StreamCounts | null
    }
  | { readonly t: 'forget'; readonly id: CommandId }
  | { readonly t: 'interrupt'; readonly id: CommandId; readonly reason: string }
  /** All bytes of the log before `offset` are stored. */
  | { readonly t: 'ack'; readonly id: CommandId; readonly log: string; readonly offset: number }
  | { readonly t: 'uploadAck'; readonly id: CommandId; readonly offset: number }
  /** Answer to `want`; empty at the end. */
  | { readonly t: 'bytes'; readonly id: CommandId; readonly offset: number; readonly data: Uint8Array }
  | { readonly t: 'shutdown'; readonly request: number }
  | { readonly t: 'ping'; readonly n: number }
  | { readonly t: 'pong'; readonly n: number }
  /** Why the link is closed: a refused login, a duplicate, a slave that is gone from the config. */
  | { readonly t: 'bye'; readonly reason: string }

export interface CommandId {
  readonly build: number
  readonly epoch: number
  readonly step: number
  readonly index: number
}

export interface HeldEntry {
  readonly id: CommandId
  readonly running: boolean
  /** Bytes it has of each log. */
  readonly lengths?: Readonly<Record<string, number>>
}

/** By log and stream. */
export type StreamCounts = Readonly<Record<string, Readonly<Partial<Record<Stream, number>>>>>

export interface BuilderEntry {
  readonly name: string
  readonly directory: string
}

export type Stream = 'stdout' | 'stderr' | 'header'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Times are milliseconds; paths are relative to the builder's directory. */
export type Command =
  | ShellCommand
  | { readonly kind: 'mkdir' | 'rmdir' | 'rmfile'; readonly paths: readonly string[] }
  | { readonly kind: 'cpdir'; readonly from: string; readonly to: string }
  | { readonly kind: 'stat'; readonly path: string }
  | { readonly kind: 'glob'; readonly pattern: string }
  | { readonly kind: 'upload'; readonly path: string; readonly maxSize?: number | null }
  | {
      readonly kind: 'download'
      readonly path: string
      readonly mode?: number | null
      readonly maxSize?: number | null
    }

/** What is left out and what is null mean the same. */
export interface ShellCommand {
  readonly kind: 'shell'
  readonly command: string | readonly string[]
  readonly workdir?: string | null
  readonly env?: Readonly<Record<string, string | null>> | null
  readonly timeout?: number | null
  readonly maxTime?: number | null
  readonly sigtermTime?: number | null
  readonly wantStdout?: boolean | null
  readonly wantStderr?: boolean | null
  readonly stdin?: string | null
  readonly secrets?: readonly string[] | null
}

export interface CommandResult {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly cause: 'exit' | 'timeout' | 'maxTime' | 'interrupted' | 'error'
  readonly error: string | null
  readonly elapsed: number
  readonly data: Json
}

/** One text per command, also fit for a file name. */
export function keyOf(id: CommandId): string {
  return `${id.build}.${id.epoch}.${id.step}.${id.index}`
}
