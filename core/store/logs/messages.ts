/** What passes between the log store and its worker thread. Paths are those of paths.ts. */
export type Request = Ask & { readonly id: number }

export type Ask =
  | { readonly op: 'append'; readonly bytes: Uint8Array<ArrayBuffer>; readonly parts: readonly AppendPart[] }
  | { readonly op: 'length' | 'lines' | 'finish'; readonly path: string }
  | { readonly op: 'read'; readonly path: string; readonly from: number; readonly to: number | null }
  | { readonly op: 'lineOffset'; readonly path: string; readonly line: number }
  | { readonly op: 'remove'; readonly folder: string }
  | { readonly op: 'close' }

/** So many of the next bytes belong to this log. */
export interface AppendPart {
  readonly path: string
  readonly stream: number
  readonly length: number
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failed: Failure }
  /** Unasked, for the log of the master. */
  | { readonly warning: string; readonly path: string; readonly reason: string }

export interface Failure {
  readonly code: 'failed' | 'finished' | 'closed'
  readonly reason: string
}

/** An append's answer per part: the new length of its log, or why not. */
export type Appended = number | Failure

export interface ReadAnswer {
  readonly bytes: Uint8Array
  readonly runs: readonly { readonly stream: number; readonly length: number }[]
}

export interface Sizes {
  readonly bytes: number
  readonly lines: number
}

/** Streams as numbers, by place. */
export const STREAMS = ['stdout', 'stderr', 'header'] as const
