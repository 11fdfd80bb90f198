import type { Command, CommandId, CommandIo, CommandResult, Stream } from './command.ts'
import type { LatentEngine } from './latent.ts'

/**
 * The transport-neutral end of a slave's link: what a transport plugin gives to core when a slave has logged in. One object
 * per connection; core never uses it again once `closed` resolved.
 *
 * Concurrency: core calls any method at any time, also several `run` at once (different builders). All promises of pending
 * calls reject with `BOLT_SESSION_LOST` when the link closes.
 */
export interface SlaveConnection {
  readonly slave: string
  readonly peer: string
  readonly info: SlaveInfo
  /** Commands the slave still has from an earlier connection, running or finished but not forgotten. */
  readonly held: readonly HeldCommand[]
  /** Resolves once, with the reason in words, when the link is gone, whoever closed it. */
  readonly closed: Promise<string>
  /**
   * Resolves, with the reason in words, when the slave asks to be given no more builds: it is told `shutdown` when it has finished
   * what it runs. Left out: it never asks.
   */
  readonly leaving?: Promise<string>
  /** Clock time of the last byte that came. */
  lastHeard(): number
  /** Resolves when the slave answered. */
  ping(signal: AbortSignal): Promise<void>
  /** Tells the slave which builders it serves now: name and directory. Directories are made, none is removed. */
  setBuilders(builders: readonly SlaveBuilder[]): Promise<void>
  /** Tells the slave that a build of this builder begins. */
  startBuild(builder: string): Promise<void>
  /**
   * Starts a command in the builder's directory and resolves with its result once all its output was handed to `io`. A slave never
   * starts two commands of one id: one that it had and lost is refused, with a code that ends in `_NOT_HELD`.
   */
  run(id: CommandId, builder: string, command: Command, io: CommandIo): Promise<CommandResult>
  /**
   * Goes on with a held command: output from `offsets[log]` (default 0) on is handed to `io` again.
   * With `check` the master is another process than the one that began the command. The slave then compares: when the bytes before an
   * offset are not so many of each stream, it sends that log from its beginning; when it was told another command, the call rejects.
   */
  resume(
    id: CommandId,
    offsets: Readonly<Record<string, number>>,
    io: CommandIo,
    check?: ResumeCheck,
  ): Promise<CommandResult>
  /** The result of a command is stored, or it is stale: the slave ends it if it runs, and drops what it kept of it. */
  forget(id: CommandId): void
  /** Asks the slave to end a command; `run` resolves with cause `interrupted`. */
  interrupt(id: CommandId, reason: string): void
  /** Asks the slave program to exit when it has nothing to do. A link lost in answer is success. */
  shutdown(): Promise<void>
  /** Closes the link; `reason` is told to the slave. */
  close(reason: string): void
}

/** What a slave said of itself when it logged in. */
export interface SlaveInfo {
  readonly admin: string | null
  readonly host: string | null
  readonly version: string | null
  /** True when commands outlive the link: core then waits for the slave to come back instead of retrying at once. */
  readonly resumable: boolean
  /** Names the place where the slave keeps its commands: another program under the same name does not have them. Left out: not known. */
  readonly instance?: string | null
}

/** A builder that a slave serves. */
export interface SlaveBuilder {
  readonly name: string
  readonly directory: string
}

/** A command that a slave still has from an earlier link. */
export interface HeldCommand {
  readonly id: CommandId
  readonly running: boolean
  /** Bytes it has of each log; left out: it does not tell, and sends all of it to a master that was restarted. */
  readonly lengths?: Readonly<Record<string, number>>
}

/** What another process of the master knows of a command that it goes on with. */
export interface ResumeCheck {
  /** For each log with an offset: how many of the bytes before it are of each stream. */
  readonly streams: Readonly<Record<string, Readonly<Partial<Record<Stream, number>>>>>
  /** What the slave was asked to do, as the master would ask now. */
  readonly command: Command
}

/** Core's side, as `host.slaves`: transports check logins and hand over connections here. */
export interface SlaveDoor {
  /** The password of a configured slave, or `undefined`: unknown slave, or one that may only be started by the master itself. */
  password(slave: string): string | undefined
  /** True when the config has this slave. */
  known(slave: string): boolean
  /**
   * Offers a logged-in connection. Resolves when the slave is attached and can be given builds.
   * @throws CiError `BOLT_SLAVES_UNKNOWN`, `BOLT_SLAVES_DUPLICATE` (the older connection is alive): close the link with its message.
   */
  attach(connection: SlaveConnection): Promise<void>
  /** Offers an engine for latent slaves whose config names this plugin; only in `start`. Disposing takes it back. */
  registerEngine(engine: LatentEngine): Disposable
}
