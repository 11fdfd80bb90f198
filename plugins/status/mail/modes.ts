import type { BuildFinished, Result } from 'boltbot/plugin-sdk'

/**
 * Which builds a mail is about. `failing`: failure or exception; `problem`: such a build after one that was not; `change`: another
 * result than the build before it; `passing`: success; the others: that result.
 */
export type Mode = (typeof MODES)[number]
export const MODES = ['all', 'failing', 'passing', 'problem', 'change', 'warnings', 'exception', 'cancelled'] as const

/** Whether a finished build is one of these. A build that is tried again is none: it has no result yet. */
export function isDue(
  modes: readonly Mode[],
  { result, previousResult }: Pick<BuildFinished, 'result' | 'previousResult'>,
): boolean {
  if (result === 'retry') return false
  return modes.some((mode) => {
    switch (mode) {
      case 'all':
        return true
      case 'failing':
        return isRed(result)
      case 'passing':
        return result === 'success'
      case 'problem':
        return isRed(result) && !isRed(previousResult)
      case 'change':
        return previousResult !== null && result !== previousResult
      default:
        return result === mode
    }
  })
}

function isRed(result: Result | null): boolean {
  return result === 'failure' || result === 'exception'
}
