import {
  type Change,
  type Json,
  messageOf,
  type SchedulerInput,
  type SchedulerRules,
  type SourceStamp,
} from 'boltbot/plugin-sdk'

/**
 * What schedulers would have had built of some changes, had they been there from the first of them: each from its initial state, each
 * build good. Nothing is stored and no clock runs.
 */
export interface Replay {
  readonly builds: readonly PlannedBuild[]
  /** What went wrong in schedulers, sentences. */
  readonly problems: readonly string[]
}

export interface PlannedBuild {
  readonly scheduler: string
  readonly builder: string
  readonly branch: string | null
  readonly revision: string | null
  readonly changes: readonly number[]
}

interface Replayed {
  readonly rules: SchedulerRules
  state: Json
  wakeAt: number | null
}

/** After the last change: for what waits until the tree is stable. */
const HORIZON_MS = 3_600_000
/** A scheduler that wakes without end must not keep a plan for ever. */
const MAX_WAKES = 5000

export async function replayChanges(
  schedulers: readonly SchedulerRules[],
  changes: readonly Change[],
): Promise<Replay> {
  const entries = schedulers.map((rules): Replayed => ({ rules, state: rules.initial, wakeAt: null }))
  const known = new Map(changes.map((change) => [change.id, change]))
  const builds: PlannedBuild[] = []
  const problems = new Set<string>()
  let wakes = 0

  function feed(entry: Replayed, input: SchedulerInput, now: number): void {
    const { rules } = entry
    try {
      const { state, wakeAt = null, buildsets = [] } = rules.decide(input, entry.state, now)
      entry.state = state
      entry.wakeAt = wakeAt
      for (const { changes: ids = [], builders = rules.builders, sourceStamp } of buildsets) {
        const stamp: SourceStamp = { ...stampOf(known.get(ids.at(-1) ?? -1)), changes: ids, ...sourceStamp }
        const { branch, revision } = stamp
        for (const builder of builders) {
          builds.push({ scheduler: rules.name, builder, branch, revision, changes: stamp.changes })
        }
        tellFollowers(rules.name, stamp, now)
      }
    } catch (error) {
      entry.wakeAt = null
      problems.add(`Scheduler "${rules.name}" failed: ${messageOf(error)}`)
    }
  }

  function tellFollowers(scheduler: string, sourceStamp: SourceStamp, now: number): void {
    const built = sourceStamp.changes.flatMap((id) => known.get(id) ?? [])
    for (const entry of entries) {
      if (!entry.rules.follows?.includes(scheduler)) continue
      feed(entry, { kind: 'buildset', scheduler, result: 'success', sourceStamp, changes: built }, now)
    }
  }

  /** In the order of time, over all schedulers. */
  function wakeUntil(until: number): void {
    for (;;) {
      const due = entries.filter(({ wakeAt }) => wakeAt !== null && wakeAt <= until)
      const next = due.toSorted((a, b) => a.wakeAt! - b.wakeAt!)[0]
      if (next === undefined || ++wakes > MAX_WAKES) return
      const at = next.wakeAt!
      next.wakeAt = null
      feed(next, { kind: 'timer' }, at)
    }
  }

  let now = changes[0]?.when ?? 0
  for (const entry of entries) feed(entry, { kind: 'start' }, now)
  for (const change of changes) {
    now = Math.max(now, change.when)
    wakeUntil(now)
    for (const entry of entries) {
      // What cannot be judged counts as important, as in the real walk.
      const wanted = await Promise.try(() => entry.rules.wants?.(change) ?? true).catch((error: unknown) => {
        problems.add(`Scheduler "${entry.rules.name}" could not judge change ${change.id}: ${messageOf(error)}`)
        return true
      })
      if (wanted !== false) feed(entry, { kind: 'change', change, important: wanted !== 'unimportant' }, now)
    }
  }
  if (changes.length > 0) wakeUntil(now + HORIZON_MS)
  return { builds, problems: [...problems] }
}

/** Builds that one list has and the other has not; the same build of another scheduler is the same. */
export function compareBuilds(before: readonly PlannedBuild[], after: readonly PlannedBuild[]) {
  const left = new Map<string, PlannedBuild[]>()
  for (const build of before) left.getOrInsertComputed(keyOf(build), () => []).push(build)
  const more = after.filter((build) => left.get(keyOf(build))?.shift() === undefined)
  return { fewer: [...left.values()].flat(), more, same: after.length - more.length }
}

const keyOf = ({ scheduler: _, ...build }: PlannedBuild) => JSON.stringify(build)

function stampOf(change: Change | undefined): SourceStamp {
  const { branch = null, revision = null, repository = '', project = '', codebase = '' } = change ?? {}
  return { branch, revision, repository, project, codebase, patch: null, changes: [] }
}

/** `full main@abc123 (changes 4, 5), by tests`. */
export function buildText({ builder, branch, revision, changes, scheduler }: PlannedBuild): string {
  const source = `${branch ?? 'default'}@${revision?.slice(0, 12) ?? 'newest'}`
  const which = changes.length === 0 ? '' : ` (${changes.length === 1 ? 'change' : 'changes'} ${changes.join(', ')})`
  return `${builder} ${source}${which}, by ${scheduler}`
}
