import type { Duration } from './duration.ts'

/** What core runs at intervals for a change source. */
export interface Poller {
  /** Unique in its plugin. */
  readonly name: string
  /** What it looks at: pollers of one repository, however its address is written, poll one at a time. Default: nobody else's. */
  readonly repository?: string
  /** Which branches it tells of, tags by their whole name (`refs/tags/v1`); default: all. */
  readonly watches?: (branch: string) => boolean
  /** Between the end of one poll and the start of the next; ±10 % of it by chance. */
  readonly interval: Duration
  /** Default true. */
  readonly pollAtLaunch?: boolean
  /** A poll that takes longer is aborted; default `'10m'`. */
  readonly deadline?: Duration
  /**
   * One poll. A throw counts as a failure: `sourceFailing`, and the next try backs off, up to an hour. Awaited: there is never a second one.
   */
  poll(context: { readonly signal: AbortSignal }): Promise<void>
}

/** A poller and how it fares. Times in ms. */
export interface PollerView {
  /** Plugin id and its own name: `git https://git.example.org/hello.git/poll`. */
  readonly source: string
  readonly repository: string | null
  /** `queued`: another one polls the same repository. */
  readonly state: 'waiting' | 'queued' | 'polling'
  /** When the last poll began, also before the last restart. */
  readonly lastPoll: number | null
  /** The same of the last one that did not fail. */
  readonly lastGood: number | null
  /** In a row, up to now. */
  readonly failures: number
  /** What the last poll failed with. */
  readonly error: string | null
  /** When it polls next; `null` while it does, and before it is started. */
  readonly next: number | null
}
