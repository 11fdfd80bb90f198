import type { Stream } from './command.ts'
import type { BuildId } from './model.ts'

/** Names a log: of a build (by id), a step (by number), by its name. */
export interface LogPlace {
  readonly build: BuildId
  /** Number of the step, from 0. */
  readonly step: number
  readonly log: string
}

/** How long a log is, and whether it grows. */
export interface LogView {
  /** Bytes so far. */
  readonly bytes: number
  /** Lines so far, all streams together. */
  readonly lines: number
  /** True: its step runs, more may come. */
  readonly running: boolean
}

/** A part of a log, in pieces of one stream each. */
export interface LogPart {
  readonly pieces: readonly { readonly offset: number; readonly stream: Stream; readonly data: Uint8Array }[]
  /** Where to go on. */
  readonly next: number
  /** True: nothing comes any more. */
  readonly finished: boolean
}
