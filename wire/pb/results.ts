/** Buildbot's numbers of results, in its order. */
export const RESULT_NUMBERS = ['success', 'warnings', 'failure', 'skipped', 'exception', 'retry', 'cancelled'] as const

export type NumberedResult = (typeof RESULT_NUMBERS)[number]

export const numberOfResult = (result: NumberedResult): number => RESULT_NUMBERS.indexOf(result)
