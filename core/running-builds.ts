import type { BuildId, BuildInfo, Change, CiError, Eta, SourceStamp } from 'boltbot/plugin-sdk'
import type { Adopted } from './adopted/adopted.ts'
import { runBuild } from './build.ts'
import type { BuildDeps } from './build-step.ts'
import type { BuilderSpec } from './config/model.ts'
import { buildStopped } from './errors.ts'
import { scopesOn } from './locks/lock-scopes.ts'
import type { Hold } from './locks.ts'
import type { BuildProgress } from './progress.ts'
import type { Reservation, SlavePool } from './slave-pool.ts'
import type { BuildClaim, StartedBuild } from './store/builds.ts'
import { readLastResult } from './store/step-plans.ts'

/** The builds of this process, from their claim to their stored end. */
export interface RunningBuilds {
  /** Runs a build to its end; nothing is awaited between the call and its first step. */
  launch(build: Launch): void
  /** By id. */
  all(): ReadonlyMap<BuildId, RunningBuild>
  /**
   * Ends what runs. `leave`: builds whose slave keeps its commands go on under the next process, all others go back to the queue; `wait`:
   * none is ended, all are awaited; `cancel`: all are stopped for good. Resolves when their end is stored.
   */
  stop(reason: CiError, how: StopHow): Promise<void>
}

/** What becomes of running builds when the master stops. */
export type StopHow = 'leave' | 'wait' | 'cancel'

export interface RunningBuild {
  readonly builder: string
  readonly number: number
  readonly slave: string
  readonly claim: BuildClaim
  /** When it will have ended, as far as that is known. */
  eta(): Eta | undefined
  /** Ends the build with this reason. */
  abort(reason: CiError): void
}

export interface Launch {
  readonly started: StartedBuild
  readonly builder: BuilderSpec
  readonly slave: string
  readonly requests: readonly number[]
  readonly losses: number
  readonly maxTries: number
  readonly reason: string
  readonly sourceStamp: SourceStamp
  readonly changes: readonly Change[]
  readonly treeStableMs: number | null
  readonly progress: BuildProgress
  /** The slave program that keeps its commands over broken links; `null`: they die with the link. */
  readonly agent: string | null
  readonly reservation: Reservation
  readonly hold: Hold
  /** Set when a process before began it. */
  readonly adopted: Adopted | null
}

export interface RunningBuildsDeps extends Omit<BuildDeps, 'logAppended'> {
  readonly pool: Pick<SlavePool, 'session'>
  readonly logAppended: (build: { id: BuildId; builder: string; number: number }) => BuildDeps['logAppended']
}

export function createRunningBuilds(deps: RunningBuildsDeps): RunningBuilds {
  const running = new Map<BuildId, RunningBuild>()
  /** Builds whose end is not durable yet. */
  const unfinished = new Set<Promise<unknown>>()
  const ending = new AbortController()

  function launch(build: Launch): void {
    const { started, builder, slave, sourceStamp, changes, treeStableMs, progress, reservation, hold, adopted, agent } =
      build
    const { number, properties } = started
    const { name } = builder
    const stop = new AbortController()
    if (adopted?.left.stopping) stop.abort(buildStopped(adopted.left.stopping.who, adopted.left.stopping.reason))
    const note = (text: string | null) => {
      const label = `${name} #${number}${text === null ? '' : `, ${text}`}`
      reservation.building(label)
      hold.rename({ label, build: started.build })
    }
    note(null)
    const over = () => {
      running.delete(started.build)
      for (const step of adopted?.holds.values() ?? []) step[Symbol.dispose]()
      hold[Symbol.dispose]()
      reservation[Symbol.dispose]()
    }
    const info = async (): Promise<BuildInfo> => {
      const lastResult = await readLastResult(deps.store.db, name, sourceStamp.branch)
      return { builder: name, number, slave, sourceStamp, changes, properties, treeStableMs, lastResult }
    }
    const done = runBuild(
      { ...deps, logAppended: deps.logAppended({ id: started.build, builder: name, number }) },
      {
        ...build,
        session: deps.pool.session(slave),
        blamelist: [...new Set(changes.map((change) => change.who))],
        info,
        needsOf: (step) => scopesOn(slave, step.flags.locks ?? []),
        over,
        note,
        signal: AbortSignal.any([stop.signal, ending.signal]),
        ending: ending.signal,
        abort: (why) => stop.abort(why),
      },
    )
      .catch((error: unknown) => deps.log.error('build failed in the master', { builder: name, build: number, error }))
      .finally(() => {
        over()
        // What goes on under the next process keeps its commands.
        if (!(agent !== null && ending.signal.aborted)) adopted?.session[Symbol.dispose]()
        unfinished.delete(done)
      })
    unfinished.add(done)
    const eta = () => progress.eta(deps.clock.now())
    const abort = (why: CiError) => stop.abort(why)
    running.set(started.build, { builder: name, number, slave, claim: started, eta, abort })
  }

  return {
    launch,
    all: () => running,
    async stop(reason, how) {
      if (how === 'cancel')
        for (const build of running.values()) build.abort(buildStopped('the master', reason.message))
      if (how !== 'leave') await Promise.all(unfinished)
      ending.abort(reason)
      await Promise.all(unfinished)
    },
  }
}
