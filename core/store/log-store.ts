import type { Stream } from 'boltbot/plugin-sdk'

/** Names one log. */
export interface LogKey {
  readonly build: number
  readonly step: number
  readonly log: string
  readonly epoch: number
}

/**
 * Bytes of logs, outside the database. The default keeps append-only files with an index of streams and lines beside them,
 * written by one worker thread, compressed when finished.
 *
 * Contract: calls for one key are made one after the other, calls for different keys at any time. What `append` resolved for
 * survives a kill of the process. Rows in the database only point here.
 */
export interface LogStore {
  /** Appends at the end; resolves with the new length in bytes. @throws CiError `BOLT_LOGS_WRITE` (disk full and the like). */
  append(key: LogKey, stream: Stream, data: Uint8Array): Promise<number>
  /** Bytes stored so far; 0 when there is no such log. */
  length(key: LogKey): Promise<number>
  /** Lines stored so far, an unfinished last one counted; 0 when there is no such log. */
  lines(key: LogKey): Promise<number>
  /** No more appends; resolves with the final sizes. Synced and compressed soon after. Finishing twice is fine. */
  finish(key: LogKey): Promise<{ readonly bytes: number; readonly lines: number }>
  /** Bytes `from`..`to` (default: to the end), at most 1 MiB a call, in pieces of one stream each. Works on running logs too. */
  read(key: LogKey, from: number, to?: number): Promise<readonly LogPiece[]>
  /** The byte offset at which a line (from 0) begins; negative counts from the end: -50 is the start of the last 50 lines. */
  lineOffset(key: LogKey, line: number): Promise<number>
  /** Deletes the logs of a build (all epochs). */
  remove(build: number): Promise<void>
  close(): Promise<void>
}

export interface LogPiece {
  readonly offset: number
  readonly stream: Stream
  readonly data: Uint8Array
}
