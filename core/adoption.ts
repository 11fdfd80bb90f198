import { type Change, type Log, messageOf } from 'boltbot/plugin-sdk'
import type { KeptConfigs } from './config/kept.ts'
import type { Config } from './config/model.ts'
import { scopesOn } from './locks/lock-scopes.ts'
import type { Locks } from './locks.ts'
import type { Progress } from './progress.ts'
import type { RunningBuilds } from './running-builds.ts'
import type { SlavePool } from './slave-pool.ts'
import { type LeftBuild, takeOverBuilds } from './store/adoption.ts'
import { finishBuild } from './store/build-end.ts'
import type { Store } from './store/store.ts'

/**
 * Builds that a process before left running go on here: with the commands that their slaves kept, under the config they began with,
 * holding what they held. Those that cannot go back to the queue.
 */
export interface Adoption {
  /** Before slaves can come: the builds are this process's, and have their places, their locks and their commands kept. */
  prepare(): Promise<void>
  /** They go on by themselves. */
  resume(): Promise<void>
}

export interface AdoptionDeps {
  readonly store: Store
  readonly owner: string
  readonly log: Log
  readonly config: () => Config
  readonly configs: Pick<KeptConfigs, 'load'>
  readonly pool: Pick<SlavePool, 'reserve' | 'session'>
  readonly locks: Pick<Locks, 'restore'>
  readonly progress: Progress
  readonly builds: Pick<RunningBuilds, 'launch'>
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
  /** Throws when the master was told to stop. */
  readonly goOn: () => void
}

export function createAdoption(deps: AdoptionDeps): Adoption {
  const { store, log, config, pool, locks, goOn } = deps
  /** Before those that go on, which may want the locks that these are stored with. */
  const lost: (() => Promise<void>)[] = []
  const goingOn: (() => Promise<void>)[] = []

  async function take(left: LeftBuild): Promise<void> {
    const { started, builder, slave } = left
    const label = `${builder} #${started.number}`
    let spec: Awaited<ReturnType<typeof beganWith>>
    try {
      spec = await beganWith(left)
    } catch (error) {
      lost.push(() => giveUp(left, messageOf(error)))
      return
    }
    const reservation = pool.reserve(slave, builder, spec.builder.builddir)
    const capacities = capacitiesOn(slave, [spec.config, config()])
    const holds = new Map(
      [...Map.groupBy(left.holds, (hold) => hold.step)].map(([step, rows]) => {
        const needs = rows.map(({ lock, mode }) => ({
          scope: { name: lock, capacity: capacities.get(lock) ?? 1 },
          mode,
        }))
        return [step, locks.restore({ label, build: started.build }, needs)] as const
      }),
    )
    const hold = holds.get(BUILD) ?? locks.restore(label, [])
    holds.delete(BUILD)
    const session = pool.session(slave).adopt(started)
    goingOn.push(async () => {
      const changes = await deps.changesOf(left.sourceStamp.changes)
      const progress = await deps.progress.of(builder, spec.builder.useProgress)
      goOn()
      log.info('build of the process before goes on', { builder, build: started.number, slave })
      const { maxTries, kinds } = spec
      const adopted = { left, holds, kinds, session }
      const given = { ...left, builder: spec.builder, changes, progress, maxTries }
      deps.builds.launch({ ...given, reservation, hold, adopted })
    })
  }

  async function beganWith({ configHash, builder, agent, slave }: LeftBuild) {
    if (agent === null) throw new Error(`slave ${slave} does not keep its commands`)
    const own = configHash === config().hash ? config() : await deps.configs.load(configHash)
    const spec = own.builders.get(builder)
    if (spec === undefined) throw new Error('the config it began with has no such builder any more')
    const kinds = [...own.builders.values()].flatMap(({ steps }) => steps.map((step) => step.definition))
    return { config: own, builder: spec, maxTries: own.maxTries, kinds }
  }

  async function giveUp(left: LeftBuild, why: string): Promise<void> {
    const { started, builder } = left
    log.info('build of the process before goes back to the queue', { builder, build: started.number, why })
    const changes = await deps.changesOf(left.sourceStamp.changes)
    await finishBuild(store, {
      ...left,
      claim: started,
      number: started.number,
      blamelist: [...new Set(changes.map((change) => change.who))],
      startedAt: started.startedAt,
      result: 'retry',
      text: ['master restarted', why],
      properties: started.properties,
      requeue: { notBefore: 0, countsAsLoss: false },
    })
  }

  return {
    async prepare() {
      for (const left of await takeOverBuilds(store, deps.owner, config().buildLeaseMs)) await take(left)
    },
    async resume() {
      for (const build of [...lost.splice(0), ...goingOn.splice(0)]) {
        goOn()
        await build()
      }
    },
  }
}

/** Of every lock scope on a slave that these configs tell of; where they differ, as the last one says. */
function capacitiesOn(slave: string, configs: readonly Config[]): ReadonlyMap<string, number> {
  const accesses = configs.flatMap(({ builders, slaves }) =>
    [
      ...[...slaves.values()].map(({ locks }) => locks),
      ...[...builders.values()].flatMap(({ locks, steps }) => [locks, ...steps.map(({ flags }) => flags.locks ?? [])]),
    ].flat(),
  )
  return new Map(
    accesses.flatMap((access) => scopesOn(slave, [access])).map(({ scope }) => [scope.name, scope.capacity]),
  )
}

/** In place of a step: what the build holds from its start to its end. */
const BUILD = -1
