import type { Json } from 'boltbot/plugin-sdk'
import type { News } from './history-poller.ts'
import type { Commit } from './submit-commits.ts'

/** A commit of a system without revision numbers. */
export interface Dated {
  /** Never given to another commit. */
  readonly id: string
  /** Of its last file, ms. */
  readonly when: number
  readonly commit: Commit
}

/** Looked at again at each poll: clocks differ, and a commit of many files takes its time. */
const OVERLAP_MS = 3_600_000
/** A commit this young may not be whole: its other files come in a moment. */
const SETTLE_MS = 30_000
/** A clock that is further ahead than this says nothing about what is young. */
const AHEAD_MS = 300_000

interface Window {
  readonly newest: number
  /** Ids of the last hour, with their times. */
  readonly seen: readonly (readonly [id: string, when: number])[]
}

/** From when to ask, ms. */
export function windowStart(position: Json | undefined, now: number): number {
  const { newest } = (position ?? { newest: now }) as unknown as Window // as given below
  return Math.max(0, newest - OVERLAP_MS)
}

/** What of all that is in the window has not been seen. At the first poll nothing is new. */
export function newInWindow(position: Json | undefined, found: readonly Dated[], now: number): News {
  const before = position as unknown as Window | undefined // as given below
  const known = new Map(before?.seen)
  const isWhole = ({ when }: Dated) => when <= now - SETTLE_MS || when > now + AHEAD_MS
  const ordered = found.toSorted((a, b) => a.when - b.when)
  const fresh = before === undefined ? [] : ordered.filter((one) => !known.has(one.id) && isWhole(one))
  const seen = before === undefined ? ordered.filter(isWhole) : fresh
  for (const { id, when } of seen) known.set(id, when)
  // Without any commit the window begins now; with one it begins there, whatever our clock says.
  const start = before?.newest ?? (seen.length === 0 ? now : 0)
  const newest = seen.reduce((last, { when }) => Math.max(last, when), start)
  const kept = [...known].filter(([, when]) => when >= newest - 2 * OVERLAP_MS)
  return { commits: fresh.map(({ commit }) => commit), position: { newest, seen: kept } }
}
