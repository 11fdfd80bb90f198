import type { Change, SchedulerBuildset } from 'boltbot/plugin-sdk'
import type { BuildsetParts } from './options.ts'

/**
 * What schedulers build that go by the clock: the newest of a branch, or, with `onlyIfChanged`, the changes that came since the last
 * time, each tree (repository, project, codebase and branch) for itself. Pure.
 */
export interface TimedBuilds {
  /** One change more. */
  collect(trees: CollectedTrees, change: Change, important: boolean): CollectedTrees
  /** The time has come: what is built, and what waits on. */
  build(trees: CollectedTrees): Built
  /** Somebody wants a build whether anything changed or not. */
  buildNow(trees: CollectedTrees): Built
}

/** Trees with changes that are not built yet, oldest first. */
export type CollectedTrees = readonly CollectedTree[]
type CollectedTree = {
  readonly key: string
  /** Ids of the changes, in the order they came. */
  readonly changes: readonly number[]
  /** One of them matters: they are built the next time. */
  readonly important: boolean
}

export interface Built {
  readonly buildsets: readonly SchedulerBuildset[]
  readonly trees: CollectedTrees
}

export interface TimedBuildsOptions {
  readonly branch: string | null
  readonly onlyIfChanged: boolean
  readonly buildset: BuildsetParts
}

export function createTimedBuilds({ branch, onlyIfChanged, buildset }: TimedBuildsOptions): TimedBuilds {
  const newest = (): Built => ({ buildsets: [{ ...buildset, sourceStamp: { branch } }], trees: [] })
  const all = (trees: CollectedTrees) => trees.map(({ changes }) => ({ ...buildset, changes }))
  return {
    collect(trees, change, important) {
      const key = JSON.stringify([change.repository, change.project, change.codebase, change.branch])
      const known = trees.find((tree) => tree.key === key)
      if (known === undefined) return [...trees, { key, changes: [change.id], important }]
      const next = { key, changes: [...known.changes, change.id], important: important || known.important }
      return trees.map((tree) => (tree === known ? next : tree))
    },
    build(trees) {
      if (!onlyIfChanged) return newest()
      return { buildsets: all(trees.filter((tree) => tree.important)), trees: trees.filter((tree) => !tree.important) }
    },
    buildNow: (trees) => (onlyIfChanged && trees.length > 0 ? { buildsets: all(trees), trees: [] } : newest()),
  }
}

/** `2 changes wait`, or `only if something changes`; nothing for schedulers that build whether anything changed or not. */
export function conditionText(trees: CollectedTrees, onlyIfChanged: boolean): string {
  if (!onlyIfChanged) return ''
  const important = trees.filter((tree) => tree.important)
  const count = important.reduce((sum, { changes }) => sum + changes.length, 0)
  if (count === 0) return ', if something changes until then'
  return count === 1 ? ', 1 change waits' : `, ${count} changes wait`
}

/** `2026-11-22 03:00:00` in a time zone; left out: where the master is. */
export function momentText(ms: number, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'medium',
    ...(timeZone !== undefined && { timeZone }),
  })
  return format.format(ms)
}
