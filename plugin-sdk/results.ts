/**
 * How a step, a build or a buildset ended. A result is a value, never an exception: a failing test suite throws nothing.
 *
 * - `success`, `warnings`, `failure`: what the work itself said.
 * - `skipped`: not run, on purpose.
 * - `exception`: Boltbot or a plugin failed, not the code under test.
 * - `retry`: the slave or its link was lost; the request goes back to the queue.
 * - `cancelled`: a person or a rule stopped it.
 */
export type Result = (typeof RESULTS)[number]

/** All results, best first. `worst()` follows this order. */
export const RESULTS = ['success', 'skipped', 'warnings', 'failure', 'exception', 'retry', 'cancelled'] as const

/**
 * The worse of two results; a cancel outranks everything, as nobody may read a verdict out of a stopped build.
 * @example worst('success', 'failure') // 'failure'
 */
export function worst(a: Result, b: Result): Result {
  return RESULTS.indexOf(a) >= RESULTS.indexOf(b) ? a : b
}

/** True for results a committer need not act on. @example if (!isGood(event.result)) await tell(event) */
export function isGood(result: Result): boolean {
  return result === 'success' || result === 'skipped' || result === 'warnings'
}
