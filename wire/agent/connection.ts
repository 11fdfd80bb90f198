import type { BuilderEntry, Command, CommandId, CommandResult, HeldEntry, Stream, StreamCounts } from './messages.ts'

/** Where a command's bytes go and come from. Calls for one command are made one after the other. */
export interface CommandIo {
  /** Resolves when the bytes are stored: only then are they acknowledged. A rejection ends the command's call with it. */
  output(log: string, stream: Stream, offset: number, data: Uint8Array): Promise<void>
  receive?(offset: number, data: Uint8Array): Promise<void>
  /** Empty at the end. */
  provide?(offset: number, length: number): Promise<Uint8Array>
}

/** A logged-in agent as the master uses it: the same shape as the SDK's `SlaveConnection`, which this part may not import. */
export interface Connection {
  readonly slave: string
  readonly peer: string
  readonly info: {
    readonly admin: string | null
    readonly host: string | null
    readonly version: string | null
    readonly resumable: boolean
    readonly instance: string | null
  }
  readonly held: readonly HeldEntry[]
  readonly closed: Promise<string>
  readonly leaving: Promise<string>
  lastHeard(): number
  ping(signal: AbortSignal): Promise<void>
  setBuilders(builders: readonly BuilderEntry[]): Promise<void>
  startBuild(builder: string): Promise<void>
  run(id: CommandId, builder: string, command: Command, io: CommandIo): Promise<CommandResult>
  resume(
    id: CommandId,
    offsets: Readonly<Record<string, number>>,
    io: CommandIo,
    check?: { readonly streams: StreamCounts; readonly command: Command },
  ): Promise<CommandResult>
  forget(id: CommandId): void
  interrupt(id: CommandId, reason: string): void
  shutdown(): Promise<void>
  close(reason: string): void
}

/** The errors of a connection, made by whoever uses this part. */
export interface ConnectionErrors {
  /** The link is gone; pending calls reject with it. */
  lost(slave: string, reason: string): Error
  /** A command that the agent was asked to resume is not known there. */
  notHeld(slave: string, id: CommandId): Error
  /** The slave could not do what it was asked, or cannot be asked. */
  refused(slave: string, reason: string): Error
}
