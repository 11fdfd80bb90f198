import type { BuildId } from './model.ts'

/** A lock that is held or waited for: a master lock, or a slave lock on one slave. */
export interface LockView {
  /** `database`, or `cpu@bot-1`. */
  readonly name: string
  /** How many counting holders it takes. */
  readonly capacity: number
  readonly holders: readonly LockUser[]
  /** In the order they will have it. */
  readonly waiting: readonly LockUser[]
}

/** A build or a step that holds a lock, or waits for it. */
export interface LockUser {
  /** `full #12`, or `full (starting)`. */
  readonly who: string
  readonly mode: 'counting' | 'exclusive'
  /** `null`: it has no number yet. */
  readonly build: BuildId | null
}
