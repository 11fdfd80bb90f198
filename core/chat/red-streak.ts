import type { BuildId, BuildView, Query } from 'boltbot/plugin-sdk'
import { isBad } from './find.ts'

/** As many builds at once are read, and as many altogether: a longer streak counts as having begun there. */
const PAGE = 50
const MOST = 500

export interface StreakOf {
  readonly builder: string
  readonly branch: string | null
  /** Only builds older than this one. */
  readonly before?: BuildId
}

/** The builds of a builder and branch that failed one after the other, up to now, the newest first; empty: the last one was good. */
export async function redStreak(
  builds: Query['builds'],
  { builder, branch, before }: StreakOf,
): Promise<readonly BuildView[]> {
  const streak: BuildView[] = []
  let last = before
  for (let read = 0; read < MOST; read += PAGE) {
    const page = await builds({ builder, running: false, limit: PAGE, ...(last !== undefined && { before: last }) })
    for (const build of page) {
      if (build.sourceStamp.branch !== branch || build.result === 'retry' || build.result === 'cancelled') continue
      if (!isBad(build.result)) return streak
      streak.push(build)
    }
    if (page.length < PAGE) break
    last = page.at(-1)!.id
  }
  return streak
}

/** The streak of each branch of a builder that is red, the branch that was built last first. */
export async function redStreaks(
  { branches, builds }: Pick<Query, 'branches' | 'builds'>,
  builder: string,
): Promise<readonly (readonly [BuildView, ...BuildView[]])[]> {
  const red = (await branches(builder)).filter(({ lastResult }) => isBad(lastResult))
  const streaks = await Promise.all(red.map(({ branch }) => redStreak(builds, { builder, branch })))
  return streaks.filter((streak): streak is [BuildView, ...BuildView[]] => streak.length > 0)
}
