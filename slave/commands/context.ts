import type { CommandResult, Json, Stream } from '../../wire/agent/messages.ts'
import type { SlaveClock } from '../clock.ts'
import type { UploadSource } from '../delivery.ts'
import { reasonOf } from '../problem.ts'

/** What a command may use. */
export interface CommandContext {
  /** The builder's directory, absolute. */
  readonly directory: string
  /** Marks its processes, see `processes.ts`. */
  readonly mark: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly usePty: boolean
  readonly clock: SlaveClock
  /** Aborted, with an `Ending` as reason, when the command shall end. */
  readonly signal: AbortSignal
  /** Says something; a promise when it should wait before it says more. */
  output(stream: Stream, data: Uint8Array): Promise<void> | undefined
  upload(source: UploadSource): Promise<void>
  want(offset: number, length: number): Promise<Uint8Array>
}

/** Why a command is ended before its time. */
export interface Ending {
  readonly cause: Exclude<CommandResult['cause'], 'exit'>
  /** In words, for the header of the log. */
  readonly reason: string
}

export function say(context: CommandContext, text: string): void {
  void context.output('header', new TextEncoder().encode(text))
}

/** Done, with what was found. */
export function done(data: Json, elapsed: number): CommandResult {
  return { exitCode: 0, signal: null, cause: 'exit', error: null, elapsed, data }
}

/** It could not be done. */
export function failed(error: unknown, elapsed: number): CommandResult {
  return { exitCode: null, signal: null, cause: 'error', error: reasonOf(error), elapsed, data: null }
}

/** Ended before its time, by `context.signal`. */
export function ended(ending: Ending, elapsed: number): CommandResult {
  const error = ending.cause === 'error' ? ending.reason : null
  return { exitCode: null, signal: null, cause: ending.cause, error, elapsed, data: null }
}

export function endingOf(signal: AbortSignal): Ending {
  return signal.reason as Ending // only `held-command.ts` aborts it
}

/** A span for people. */
export function spanText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)}s`
  const minutes = Math.floor(ms / 60_000)
  const seconds = Math.round((ms % 60_000) / 1000)
  const clock = minutes < 60 ? [`${minutes}m`] : [`${Math.floor(minutes / 60)}h`, `${minutes % 60}m`]
  return [...clock, ...(minutes < 60 && seconds > 0 ? [`${seconds}s`] : [])].join('')
}
