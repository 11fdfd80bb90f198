import type { Result } from './results.ts'

/** When a running build will have ended, ms since 1970: learned from good builds of the same builder. */
export interface Eta {
  readonly at: number
  /** It is hardly earlier, and hardly later. */
  readonly low: number
  /** ms. */
  readonly high: number
}

/** How long a step takes, ms. */
export interface StepExpectation {
  readonly name: string
  /** ms. */
  readonly median: number
  /** ms. */
  readonly low: number
  /** ms. */
  readonly high: number
}

/** How a builder fares on one branch. */
export interface BranchView {
  /** `null`: the default branch. */
  readonly branch: string | null
  /** Its last build that says something of the code: neither `retry` nor `cancelled`. */
  readonly lastBuild: number
  readonly lastResult: Result
  /** The last that succeeded, warnings or not; `null`: none. */
  readonly lastSuccess: number | null
}
