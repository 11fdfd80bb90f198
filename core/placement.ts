import { type Change, messageOf } from 'boltbot/plugin-sdk'
import type { Config } from './config/model.ts'
import { scopesOn } from './locks/lock-scopes.ts'
import type { Hold } from './locks.ts'
import type { Progress } from './progress.ts'
import { initialProperties } from './properties.ts'
import { mergeStamps } from './queue.ts'
import type { RunningBuilds } from './running-builds.ts'
import type { Reservation, SlavePool } from './slave-pool.ts'
import { agentOf, type Session } from './slaves/session.ts'
import { stepNames } from './step-plan.ts'
import { startBuild } from './store/builds.ts'
import { readBuildsets } from './store/buildsets.ts'
import type { WaitingRequest } from './store/requests.ts'
import type { Store } from './store/store.ts'

/**
 * The start of a build, from a place on a slave to the first step, and its end. Order: locks and place are held already → ping
 * and tell the slave → claim the requests and take the build number → look at the link once more → run. Whatever fails unwinds all of
 * it, and a failed ping burns no number.
 */
export interface Placement {
  /**
   * Resolves when the build runs (it goes on by itself), or when its requests wait again. `decided` is called once the requests
   * no longer wait in the store, or wait as before. @throws when the slave does not answer; lock and place are given back then.
   */
  start(
    builder: string,
    requests: readonly WaitingRequest[],
    place: StartedByPlacement,
    decided: () => void,
  ): Promise<void>
}

export interface StartedByPlacement {
  readonly slave: string
  readonly hold: Hold
  readonly reservation: Reservation
}

export interface PlacementDeps {
  readonly store: Store
  readonly owner: string
  readonly config: () => Config
  readonly pool: SlavePool
  readonly progress: Progress
  readonly builds: Pick<RunningBuilds, 'launch'>
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
}

export function createPlacement(deps: PlacementDeps): Placement {
  async function read(requests: readonly WaitingRequest[]) {
    const buildsets = await readBuildsets(deps.store.db, [...new Set(requests.map((request) => request.buildset))])
    const sourceStamp = mergeStamps(buildsets.map((buildset) => buildset.sourceStamp))
    return { buildsets, sourceStamp, changes: await deps.changesOf(sourceStamp.changes) }
  }

  /**
   * The ping and the word that a build begins go out together: one round trip, and only the answers count. One that was heard of
   * just now is not pinged, nor is one that builds: too busy to answer, it must not lose what it builds.
   */
  async function greet(session: Session, builder: string, isBuilding: boolean): Promise<void> {
    const link = session.connection
    if ((isBuilding || session.heardJustNow) && link !== undefined) return await link.startBuild(builder)
    try {
      await Promise.all([session.ping(), link?.startBuild(builder)])
    } catch (error) {
      link?.close(messageOf(error))
      throw error
    }
  }

  async function start(
    builder: string,
    requests: readonly WaitingRequest[],
    { slave, hold, reservation }: StartedByPlacement,
    decided: () => void,
  ): Promise<void> {
    using stack = new DisposableStack()
    stack.use(reservation)
    stack.use(hold)
    // Before these are given back: whoever gets them looks at the queue at once.
    stack.defer(decided)
    // The config of this moment is the build's to its end, if it is still in force when it begins.
    const config = deps.config()
    const spec = config.builders.get(builder)!
    const slaveSpec = config.slaves.get(slave)!
    const session = deps.pool.session(slave)
    const starting = deps.pool.ready(slave, requests[0]!.id)
    if (starting !== undefined) await starting
    const [{ buildsets, sourceStamp, changes }, progress] = await Promise.all([
      read(requests),
      deps.progress.of(builder, spec.useProgress),
      greet(session, builder, reservation.isShared()),
    ])
    // What it holds was worked out under that config, and nobody keeps its copy for a build that has not begun: it waits on.
    if (deps.config() !== config) return
    // Asked for during a start or a ping, which may be long: whoever paused it, or has it exit, was told that it gets nothing more.
    if (!deps.pool.mayBegin(slave)) return
    progress.plan(stepNames(spec.steps))
    const asked = buildsets[0]!
    const timers = buildsets.flatMap(({ stableMs }) => stableMs ?? [])
    const treeStableMs = timers.length === 0 ? null : Math.max(...timers)
    const reason = [...new Set(buildsets.map((buildset) => buildset.reason))].join('; ')
    const blamelist = [...new Set(changes.map((change) => change.who))]
    const needs = scopesOn(slave, [...spec.locks, ...slaveSpec.locks])
    const agent = session.connection === undefined ? null : agentOf(session.connection)
    const started = await startBuild(deps.store, {
      owner: deps.owner,
      builder,
      slave,
      requests: requests.map((request) => request.id),
      reason,
      sourceStamp,
      blamelist,
      configHash: config.hash,
      agent,
      lease: config.buildLeaseMs,
      eta: (now) => (spec.chooseSteps === null ? progress.eta(now) : undefined),
      locks: needs.map((need) => ({ lock: need.scope.name, mode: need.mode })),
      properties: (number) =>
        initialProperties({
          config,
          builder: spec,
          slave: slaveSpec,
          sourceStamp,
          changes,
          // Where they differ, the one it is started for has its way.
          asked: Object.fromEntries(buildsets.toReversed().flatMap(({ properties }) => Object.entries(properties))),
          scheduler: asked.scheduler,
          owner: asked.owner,
          number,
        }),
    })
    decided()
    if (started === null) return
    // No await from here to the run: a link that breaks now is the build's to handle.
    stack.move()
    const { maxTries } = config
    const losses = Math.max(...requests.map((request) => request.losses))
    const ids = requests.map((request) => request.id)
    const given = { slave, requests: ids, reason, sourceStamp, changes, treeStableMs, progress, reservation, hold }
    deps.builds.launch({ started, builder: spec, ...given, losses, maxTries, agent, adopted: null })
  }

  return { start }
}
