import type { Change, Decision, SchedulerInput } from 'boltbot/plugin-sdk'
import type { BuildsetParts } from './options.ts'

/**
 * The tree-stable rule, pure. Changes of one *tree* (repository, project, codebase and branch) wait together; trees do not wait
 * for each other and are never built together.
 *
 * A tree is *quiet* while it holds no change, or unimportant ones only: they are kept for the next important one. An important
 * change makes it *unstable*, or keeps it so, until `stableMs` later; an unimportant one does not move that moment. Then all its
 * changes become one buildset, in the order they came, and the tree is quiet again. `now` builds whatever waits.
 */
export interface TreeStableRules {
  readonly initial: TreeStableState
  decide(input: SchedulerInput, state: TreeStableState, now: number): Decision<TreeStableState>
}

/** The waiting trees, oldest first. */
export type TreeStableState = readonly Tree[]
type Tree = {
  readonly key: string
  /** Ids of the changes that wait, in the order they came. */
  readonly changes: readonly number[]
  /** When it counts as stable; `null`: only unimportant changes wait. */
  readonly until: number | null
}

export interface TreeStableOptions {
  readonly stableMs: number
  /** What all buildsets have in common. */
  readonly buildset: BuildsetParts
}

export function createTreeStableRules({ stableMs, buildset }: TreeStableOptions): TreeStableRules {
  const timer = stableMs === 0 ? {} : { treeStableTimer: stableMs / 1000 }
  const conclude = (trees: TreeStableState, isDue: (tree: Tree) => boolean): Decision<TreeStableState> => {
    const state = trees.filter((tree) => !isDue(tree))
    const due = trees.filter(isDue)
    const moments = state.flatMap(({ until }) => (until === null ? [] : [until]))
    return {
      state,
      buildsets: due.map(({ changes }) => ({ ...buildset, ...timer, changes })),
      wakeAt: moments.length === 0 ? null : Math.min(...moments),
      waiting: waitingText(state),
    }
  }
  return {
    initial: [],
    decide(input, stored, now) {
      // Another scheduler may have had this name before, and left a state of another form.
      const state = Array.isArray(stored) ? (stored as TreeStableState) : []
      switch (input.kind) {
        case 'change':
          return conclude(add(state, input.change, input.important ? now + stableMs : null), (tree) =>
            isOver(tree, now),
          )
        case 'now':
          return conclude(state, () => true)
        default:
          return conclude(state, (tree) => isOver(tree, now))
      }
    },
  }
}

function add(state: TreeStableState, change: Change, until: number | null): TreeStableState {
  const key = JSON.stringify([change.repository, change.project, change.codebase, change.branch])
  const known = state.find((tree) => tree.key === key)
  if (known === undefined) return [...state, { key, changes: [change.id], until }]
  const next = { key, changes: [...known.changes, change.id], until: until ?? known.until }
  return state.map((tree) => (tree === known ? next : tree))
}

function isOver({ until }: Tree, now: number): boolean {
  return until !== null && until <= now
}

/** True whenever it is read: it names moments, not spans. */
function waitingText(state: TreeStableState): string | null {
  if (state.length === 0) return null
  const unstable = state.filter(({ until }) => until !== null)
  const [group, what] = unstable.length > 0 ? [unstable, 'wait'] : [state, 'wait for an important one']
  const count = group.reduce((sum, { changes }) => sum + changes.length, 0)
  const changes = count === 1 ? `1 change ${what.replace('wait', 'waits')}` : `${count} changes ${what}`
  if (unstable.length === 0) return changes
  const last = Math.max(...unstable.map(({ until }) => until ?? 0))
  const trees = unstable.length === 1 ? 'tree not stable' : `${unstable.length} trees not stable, the last`
  return `${trees} until ${clockTime(last)}, ${changes}`
}

/** `12:00:43` where the master is. */
function clockTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8)
}
