/** Time, injected: a test moves it by hand. All times are milliseconds. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Calls `fire` once after `ms`. Disposing the timer stops it; disposing it twice is fine. A throw in `fire` is reported, not lost. */
  timer(ms: number, fire: () => void): Disposable
  /** Resolves after `ms`; rejects with the signal's reason if that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Chance, injected: a test seeds it. */
export interface Random {
  /** At least 0, below 1. */
  next(): number
}

/** The log of a part or plugin. Messages are constant lower-case phrases, the data stands in the fields. */
export interface Log {
  /** An operator must act. */
  error(message: string, fields?: LogFields): void
  /** Worse than it should be, but going on. */
  warn(message: string, fields?: LogFields): void
  /** One line per transition. */
  info(message: string, fields?: LogFields): void
  /** Why something did not happen. */
  debug(message: string, fields?: LogFields): void
  /** The same log with these fields on every line. */
  child(fields: LogFields): Log
}
/** Facts of a log line, by name; JSON. */
export type LogFields = Readonly<Record<string, unknown>>
