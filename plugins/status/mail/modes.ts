import type { BuildFinished } from 'boltbot/plugin-sdk'
import { isRed, type Standing } from './streaks.ts'

/**
 * Which builds a mail is about. `failing`: failure or exception; `problem`: such a build after one that was not, or that fails in
 * another step; `change`: another result than the build before it; `passing`: success; the others: that result.
 */
export type Mode = (typeof MODES)[number]
export const MODES = ['all', 'failing', 'passing', 'problem', 'change', 'warnings', 'exception', 'cancelled'] as const

/** Whether a finished build is one of these. A build that is tried again is none: it has no result yet. */
export function isDue(
  modes: readonly Mode[],
  { result, previousResult }: Pick<BuildFinished, 'result' | 'previousResult'>,
  standing: Standing,
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
        return standing === 'first failure' || standing === 'new kind of failure'
      case 'change':
        return previousResult !== null && result !== previousResult
      default:
        return result === mode
    }
  })
}
