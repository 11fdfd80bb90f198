import { type BuildId, type Change, type CiError, type Clock, type Eta, type Log, messageOf } from 'boltbot/plugin-sdk'
import { runBuild } from './build.ts'
import type { BuildDeps } from './build-step.ts'
import type { Config } from './config/model.ts'
import { scopesOn } from './lock-scopes.ts'
import type { Hold } from './locks.ts'
import type { Progress } from './progress.ts'
import { initialProperties } from './properties.ts'
import { mergeStamps } from './queue.ts'
import type { Reservation, SlavePool } from './slave-pool.ts'
import type { Session } from './slaves/session.ts'
import { stepNames } from './step-plan.ts'
import { startBuild } from './store/builds.ts'
import { readBuildsets } from './store/buildsets.ts'
import type { WaitingRequest } from './store/requests.ts'
import { readLastResult } from './store/step-plans.ts'

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
  /** Builds that run, by id. */
  running(): ReadonlyMap<BuildId, RunningBuild>
  /** Ends all builds with this reason and waits until that is stored. */
  stop(reason: CiError): Promise<void>
}

export interface StartedByPlacement {
  readonly slave: string
  readonly hold: Hold
  readonly reservation: Reservation
}

export interface RunningBuild {
  readonly builder: string
  readonly number: number
  readonly slave: string
  /** When it will have ended, as far as that is known. */
  eta(): Eta | undefined
  /** Ends the build with this reason. */
  abort(reason: CiError): void
}

export interface PlacementDeps extends Omit<BuildDeps, 'logAppended'> {
  readonly owner: string
  readonly config: () => Config
  readonly pool: SlavePool
  readonly progress: Progress
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
  readonly logAppended: (build: { id: BuildId; builder: string; number: number }) => BuildDeps['logAppended']
  readonly clock: Clock
  readonly log: Log
}

export function createPlacement(deps: PlacementDeps): Placement {
  const running = new Map<BuildId, RunningBuild>()
  /** Builds whose end is not durable yet. */
  const unfinished = new Set<Promise<unknown>>()
  const ending = new AbortController()

  async function read(requests: readonly WaitingRequest[]) {
    const buildsets = await readBuildsets(deps.store.db, [...new Set(requests.map((request) => request.buildset))])
    const sourceStamp = mergeStamps(buildsets.map((buildset) => buildset.sourceStamp))
    return { buildsets, sourceStamp, changes: await deps.changesOf(sourceStamp.changes) }
  }

  /**
   * The ping and the word that a build begins go out together: one round trip, and only the answers count. A slave that builds is
   * not pinged: one that is too busy to answer must not lose what it builds.
   */
  async function greet(session: Session, builder: string, isBuilding: boolean): Promise<void> {
    const link = session.connection
    if (isBuilding && link !== undefined) return await link.startBuild(builder)
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
    // The config of this moment is the build's to its end.
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
    progress.plan(stepNames(spec.steps))
    const asked = buildsets[0]!
    const timers = buildsets.flatMap(({ stableMs }) => stableMs ?? [])
    const treeStableMs = timers.length === 0 ? null : Math.max(...timers)
    const reason = [...new Set(buildsets.map((buildset) => buildset.reason))].join('; ')
    const blamelist = [...new Set(changes.map((change) => change.who))]
    const needs = scopesOn(slave, [...spec.locks, ...slaveSpec.locks])
    const started = await startBuild(deps.store, {
      owner: deps.owner,
      builder,
      slave,
      requests: requests.map((request) => request.id),
      reason,
      sourceStamp,
      blamelist,
      configHash: config.hash,
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
          asked: Object.assign({}, ...buildsets.map((buildset) => buildset.properties).reverse()),
          scheduler: asked.scheduler,
          owner: asked.owner,
          number,
        }),
    })
    decided()
    if (started === null) return
    const note = (text: string | null) => {
      const label = `${builder} #${started.number}${text === null ? '' : `, ${text}`}`
      reservation.building(label)
      hold.rename(label)
    }
    note(null)
    // No await from here to the run: a link that breaks now is the build's to handle.
    const stop = new AbortController()
    const kept = stack.move()
    const over = () => {
      running.delete(started.build)
      kept.dispose()
    }
    const done = runBuild(
      { ...deps, logAppended: deps.logAppended({ id: started.build, builder, number: started.number }) },
      {
        started,
        builder: spec,
        slave,
        session,
        requests: requests.map((request) => request.id),
        losses: Math.max(...requests.map((request) => request.losses)),
        maxTries: config.maxTries,
        reason,
        sourceStamp,
        changes,
        blamelist,
        progress,
        treeStableMs,
        async info() {
          const lastResult = await readLastResult(deps.store.db, builder, sourceStamp.branch)
          const { number, properties } = started
          return { builder, number, slave, sourceStamp, changes, properties, treeStableMs, lastResult }
        },
        needsOf: (step) => scopesOn(slave, step.flags.locks ?? []),
        over,
        note,
        signal: AbortSignal.any([stop.signal, ending.signal]),
        ending: ending.signal,
        abort: (why) => stop.abort(why),
      },
    )
      .catch((error: unknown) =>
        deps.log.error('build failed in the master', { builder, build: started.number, error }),
      )
      .finally(() => {
        over()
        unfinished.delete(done)
      })
    unfinished.add(done)
    const { number } = started
    const eta = () => progress.eta(deps.clock.now())
    running.set(started.build, { builder, number, slave, eta, abort: (why) => stop.abort(why) })
  }

  return {
    start,
    running: () => running,
    async stop(reason) {
      ending.abort(reason)
      await Promise.all(unfinished)
    },
  }
}
