import type { BuildId, Clock, Log } from 'boltbot/plugin-sdk'
import type { Config } from './config/model.ts'
import { buildDeadlocked } from './errors.ts'
import { scopesOn } from './locks/lock-scopes.ts'
import { type AwaitedRequest, findDeadlocked, type Place, type WaitingBuild } from './locks/wait-graph.ts'
import type { Locks } from './locks.ts'
import type { RunningBuild } from './running-builds.ts'
import type { SlavePool } from './slave-pool.ts'
import { openRequestsOf } from './store/requests.ts'
import type { Store } from './store/store.ts'
import type { Triggers } from './triggers.ts'

/**
 * Ends builds that wait for each other, or for themselves, for ever: crosswise locks are found by the check of the config, but a step that
 * waits for what it triggered while its build holds a slave or a lock is not. The youngest of them ends, with the whole circle as reason.
 */
export interface Deadlocks {
  /** Some build may have begun to wait: looks a little later, and as long as one waits. */
  look(): void
  stop(): void
}

export interface DeadlocksDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly config: () => Config
  readonly pool: SlavePool
  readonly locks: Locks
  readonly triggers: Triggers
  readonly running: () => ReadonlyMap<BuildId, RunningBuild>
}

/** Much is under way in a master; a circle stays. It is believed when it was there twice. */
const FIRST_MS = 5000
const AGAIN_MS = 60_000

export function createDeadlocks(deps: DeadlocksDeps): Deadlocks {
  const { clock, log, config, pool, locks, triggers } = deps
  let timer: Disposable | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let suspects: readonly number[] = []
  let stopped = false

  function lookIn(ms: number): void {
    if (stopped || clock.now() + ms >= dueAt) return
    timer?.[Symbol.dispose]()
    dueAt = clock.now() + ms
    timer = clock.timer(ms, () => {
      dueAt = Number.POSITIVE_INFINITY
      check().catch((error: unknown) => {
        log.error('look for deadlocks failed', { error })
        lookIn(AGAIN_MS)
      })
    })
  }

  async function check(): Promise<void> {
    const builds = await standing()
    if (stopped) return
    const isWaiting = builds.some((build) => build.locks.length + build.requests.length > 0)
    if (!isWaiting) {
      suspects = []
      return
    }
    const found = findDeadlocked({
      builds,
      users: (scope) => locks.holders().filter((holder) => holder.scope === scope),
    })
    const certain = found.filter(({ id }) => suspects.includes(id))
    suspects = found.map(({ id }) => id)
    const youngest = certain.at(-1)
    if (youngest !== undefined) {
      const reason = buildDeadlocked(certain.map(({ why }) => why))
      log.error('deadlock', { builds: certain.map(({ id }) => id), ended: youngest.id, why: reason.message })
      deps.running().get(youngest.id)?.abort(reason)
      suspects = []
    }
    lookIn(found.length > 0 ? FIRST_MS : AGAIN_MS)
  }

  async function standing(): Promise<readonly WaitingBuild[]> {
    const waits = triggers.waits()
    const awaited = await openRequestsOf(deps.store.db, [...new Set(waits.map(({ buildset }) => buildset))])
    const rows = locks.waiting()
    return [...deps.running()].map(([id, { builder, number }]) => {
      const sets = waits.filter(({ build }) => build === id).map(({ buildset }) => buildset)
      const requests = awaited.filter(({ buildset }) => sets.includes(buildset))
      return {
        id,
        label: `${builder} #${number}`,
        locks: rows.filter(({ build }) => build === id).flatMap(({ needs }) => needs),
        requests: requests.map(({ id, builder, build, state }): AwaitedRequest => {
          const isRunning = state === 'claimed'
          return { id, builder, build: isRunning ? build : null, places: isRunning ? [] : placesOf(builder) }
        }),
      }
    })
  }

  function placesOf(builder: string): readonly Place[] {
    const { builders, slaves } = config()
    const spec = builders.get(builder)
    // A builder that is gone may come back with the next config.
    if (spec === undefined) return [{ slave: '', takenBy: null, locks: [] }]
    const [free, views] = [pool.free(builder), pool.view()]
    return spec.slaves.flatMap((slave): Place[] => {
      const view = views.find(({ name }) => name === slave)
      if (view === undefined) return []
      const on = [...deps.running()].filter(([, build]) => build.slave === slave)
      // What is being started there, a slave that is away and one that is paused: all that may change by itself.
      const isFull = view.state === 'building' && view.builds === on.length && view.paused === null
      const needs = scopesOn(slave, [...spec.locks, ...(slaves.get(slave)?.locks ?? [])])
      const takenBy = free.includes(slave) || !isFull ? null : on.map(([id]) => id)
      return [{ slave, takenBy, locks: needs }]
    })
  }

  return {
    look: () => lookIn(FIRST_MS),
    stop() {
      stopped = true
      timer?.[Symbol.dispose]()
    },
  }
}
