/** The promises of the core, by the names a failing run prints. */
export type Invariant =
  | 'a request ends exactly once'
  | 'a buildset ends with its last request, and as badly as the worst'
  | 'nothing is written about a build that has ended'
  | 'each change reaches each scheduler exactly once'
  | 'a good upstream buildset is followed exactly once'
  | 'locks are never overfull'
  | 'locks are fair'
  | 'one build per builder and slave, and no more than maxBuilds'
  | 'interrupted requests go first, then the oldest'
  | 'a paused slave is given nothing'
  | 'epochs grow'
  | 'build numbers have no gaps'
  | 'what waits has a true reason'
  | 'everything drains'
  | 'a reconfigure succeeds or is rolled back as a whole'
  | 'a log is what the slave wrote'
  | 'durable plugins miss nothing, in order'
  | 'observers are told at most once'
  | 'nothing is left behind'
  | 'no part fails by itself'

export interface Breach {
  readonly invariant: Invariant
  readonly message: string
}

/** Notes the first promise that is broken; what comes after it proves nothing. */
export interface Verdict {
  readonly breach: Breach | undefined
  broken(invariant: Invariant, message: string): void
}

export function createVerdict(): Verdict {
  let breach: Breach | undefined
  return {
    get breach() {
      return breach
    },
    broken(invariant, message) {
      breach ??= { invariant, message }
    },
  }
}
