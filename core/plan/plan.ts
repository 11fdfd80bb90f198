import { type Change, type PastBuild, pastBuild, type SchedulerView } from 'boltbot/plugin-sdk'
import { diffConfigs } from '../config/diff.ts'
import type { Config } from '../config/model.ts'
import { diffPlugins } from '../host/plugin-diff.ts'
import type { RunningBuild } from '../running-builds.ts'
import { recentChanges } from '../store/changes.ts'
import { countWaiting } from '../store/requests.ts'
import type { Store } from '../store/store.ts'
import { compareBuilds, type PlannedBuild, replayChanges } from './replay.ts'
import { schedulerRules } from './scheduler-rules.ts'
import { compareTellings, type Telling, type TellingsDeps, tellingsOf } from './tellings.ts'

/** What a new config would do to the running master; each line a sentence or a thing. Nothing is changed by looking. */
export interface ConfigPlan {
  /** What differs. */
  readonly changed: readonly string[]
  /** Plugins that would be started, stopped or given other options; those not named run on untouched. */
  readonly plugins: readonly string[]
  /** What becomes of queued requests and running builds. */
  readonly queue: readonly string[]
  /** What becomes of what schedulers wait for. */
  readonly schedulers: readonly string[]
  readonly replay: {
    /** How many of the last changes were replayed, how many builds both configs would have had. */
    readonly changes: number
    readonly same: number
    readonly fewer: readonly PlannedBuild[]
    readonly more: readonly PlannedBuild[]
    readonly problems: readonly string[]
    /** Of the finished builds of these changes, those that both configs build: mails and lines of chat that would differ. */
    readonly tellings: { readonly same: number; readonly fewer: readonly Telling[]; readonly more: readonly Telling[] }
  }
}

/** Of one change; more of them say nothing new. */
const MOST_BUILDS = 50

export interface PlannerDeps extends TellingsDeps {
  readonly store: Store
  readonly config: () => Config
  readonly running: () => ReadonlyMap<number, RunningBuild>
  readonly schedulers: () => readonly SchedulerView[]
}

export function createPlanner(deps: PlannerDeps) {
  const { store, config, running, schedulers, query } = deps
  return async (next: Config, lastChanges: number): Promise<ConfigPlan> => {
    const now = config()
    return {
      changed: diffConfigs(now, next),
      plugins: pluginLines(now, next),
      queue: queueLines(now, next, await countWaiting(store.db), [...running().values()]),
      schedulers: schedulerLines(now, next, schedulers()),
      replay: await replayBoth(now, next, lastChanges),
    }
  }

  async function replayBoth(now: Config, next: Config, count: number): Promise<ConfigPlan['replay']> {
    const changes = count === 0 ? [] : (await recentChanges(store.db, count)).toReversed()
    const [old, fresh] = [schedulerRules(now), schedulerRules(next)]
    const before = await replayChanges(old.rules, changes)
    const after = await replayChanges(fresh.rules, changes)
    const problems = [...fresh.problems, ...after.problems]
    const builds = compareBuilds(before.builds, after.builds)
    const past = await pastBuilds(changes)
    const [told, toldNext] = [
      await tellingsOf(now, past, deps),
      await tellingsOf(next, past.filter(stillBuilt(next, builds.fewer)), deps),
    ]
    problems.push(...toldNext.problems)
    return {
      changes: changes.length,
      ...builds,
      problems,
      tellings: compareTellings(told.tellings, toldNext.tellings),
    }
  }

  /** The finished builds that changes are in, each once, in the order they began. */
  async function pastBuilds(changes: readonly Change[]): Promise<readonly PastBuild[]> {
    const found = new Map<number, PastBuild>()
    for (const change of changes) {
      for (const build of await query.builds({ change: change.id, running: false, limit: MOST_BUILDS })) {
        const past = found.has(build.id) ? null : await pastBuild(query, build)
        if (past !== null) found.set(build.id, past)
      }
    }
    return [...found.values()].toSorted((a, b) => a.build.id - b.build.id)
  }
}

function pluginLines(now: Config, next: Config): readonly string[] {
  const { added, gone, changed } = diffPlugins(now.plugins, next.plugins)
  return [
    ...gone.map(({ id }) => `stop "${id}"`),
    ...changed.map(({ after: { id, definition }, why, optionsOnly }) =>
      optionsOnly && definition.reconfigure !== undefined
        ? `give "${id}" its new options: ${why}`
        : `stop and start "${id}": ${why}`,
    ),
    ...added.map(({ id }) => `start "${id}"`),
  ]
}

function queueLines(
  now: Config,
  next: Config,
  waiting: ReadonlyMap<string, number>,
  running: readonly RunningBuild[],
): readonly string[] {
  const lines: string[] = []
  for (const [name, count] of waiting) {
    const what = count === 1 ? '1 request' : `${count} requests`
    const waits = count === 1 ? 'waits' : 'wait'
    const before = now.builders.get(name)
    const after = next.builders.get(name)
    if (after === undefined)
      lines.push(`${what} of "${name}" ${waits} until the builder is back: it is not in the config`)
    else if (!after.slaves.some((slave) => next.slaves.has(slave)))
      lines.push(`${what} of "${name}" ${waits} for a slave that there is not`)
    else if (before !== undefined && changesOf(before, after))
      lines.push(`${what} of "${name}" will be built as the new config says`)
  }
  for (const { builder, number } of running) {
    const [before, after] = [now.builders.get(builder), next.builders.get(builder)]
    if (after === undefined || (before !== undefined && changesOf(before, after)))
      lines.push(`${builder} #${number} runs on to its end as it began`)
  }
  return lines
}

const changesOf = (before: object, after: object) => diffConfigs(only(before), only(after)).length > 0

/** A config with one builder, for comparing. */
const only = (builder: object) =>
  ({ slaves: new Map(), builders: new Map([['it', builder]]), plugins: [] }) as unknown as Config

function schedulerLines(now: Config, next: Config, views: readonly SchedulerView[]): readonly string[] {
  const { gone, changed } = diffPlugins(now.plugins, next.plugins)
  const lines: string[] = []
  for (const { name, waiting } of views) {
    if (waiting === null) continue
    if (gone.some(({ id }) => id === name)) lines.push(`"${name}" goes, and forgets what it waits for: ${waiting}`)
    else if (changed.some(({ after }) => after.id === name))
      lines.push(`"${name}" goes on from what it waits for: ${waiting}`)
  }
  return lines
}

/** Whether a config would have had this build: of changes it does not build any more nobody is told. */
function stillBuilt(next: Config, fewer: readonly PlannedBuild[]) {
  return ({ event }: PastBuild) =>
    next.builders.has(event.builder) &&
    !fewer.some(({ builder, changes }) => builder === event.builder && changes.join() === event.changes.join())
}
