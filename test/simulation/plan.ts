import { createHash } from 'node:crypto'
import {
  type Builder,
  builder,
  buildFactory,
  type Change,
  defineMaster,
  defineStep,
  type LockAccess,
  type MasterConfig,
  masterLock,
  type PluginInstance,
  slave,
  slaveLock,
} from 'boltbot/plugin-sdk'
import { anyBranch, dependent, scheduler } from 'boltbot/plugins/schedulers'
import { checkConfig } from '../../core/config/check.ts'
import type { Config } from '../../core/config/model.ts'
import { createPositions } from '../../core/config/positions.ts'
import { formatProblems } from '../../core/config/problem.ts'
import type { Chance } from './chance.ts'

/** A config as a simulation changes it, before it is one of the real kind. */
export interface Plan {
  readonly builders: ReadonlyMap<string, BuilderPlan>
  /** By name; how many builds at once, `null`: any number. */
  readonly slaves: ReadonlyMap<string, { readonly maxBuilds: number | null; readonly cpu: boolean }>
  readonly schedulers: ReadonlySet<SchedulerName>
  readonly stableSeconds: number
  readonly mergeRequests: boolean
  /** Another number: the plugin is started anew. */
  readonly edition: number
}

interface BuilderPlan {
  readonly slaves: readonly string[]
  readonly mergeRequests: boolean | null
  /** Its `nextBuild` takes the youngest request: then an interrupted one may be younger than those that wait. */
  readonly youngestFirst: boolean
  readonly locks: readonly (keyof typeof ACCESS)[]
  readonly steps: readonly StepPlan[]
}
interface StepPlan {
  readonly commands: number
  readonly locks: readonly (keyof typeof ACCESS)[]
  readonly haltOnFailure: boolean
  readonly alwaysRun: boolean
}

export const SLAVES = ['s0', 's1', 's2', 's3']
const BUILDERS = ['b0', 'b1', 'b2', 'b3']
export const SCHEDULERS = ['tests', 'quick', 'any', 'release', 'package'] as const
export type SchedulerName = (typeof SCHEDULERS)[number]
export const BRANCHES = ['main', 'release', 'feature/a', 'feature/b']

/** Capacity of each scope of locks; a slave lock's on each slave. */
export const CAPACITY = { database: 3, network: 2, cpu: 2, disk: 1, tape: 2 }
const database = masterLock('database', { maxCount: CAPACITY.database })
const network = masterLock('network', { maxCount: CAPACITY.network })
const disk = masterLock('disk', { maxCount: CAPACITY.disk })
const tape = masterLock('tape', { maxCount: CAPACITY.tape })
const cpu = slaveLock('cpu', { maxCount: CAPACITY.cpu })
const ACCESS = {
  'database!': database.access('exclusive'),
  database: database.access('counting'),
  'network!': network.access('exclusive'),
  network: network.access('counting'),
  'cpu!': cpu.access('exclusive'),
  cpu: cpu.access('counting'),
  'disk!': disk.access('exclusive'),
  tape: tape.access('counting'),
  'tape!': tape.access('exclusive'),
} satisfies Record<string, LockAccess>

/** Which changes each scheduler builds for sure. */
export const WANTS: Readonly<Record<SchedulerName, (change: Change) => boolean>> = {
  tests: (change) => change.branch === 'main' && isCode(change),
  quick: (change) => change.branch === 'main',
  any: (change) => isCode(change),
  release: (change) => change.branch === 'release',
  package: () => false,
}
const isCode = (change: Change) => change.files.some((file) => !file.startsWith('docs/'))

/** Everything there is, with nothing in each other's way for ever. */
export function fullPlan(plan: Plan, chance: Chance): Plan {
  const missing = BUILDERS.filter((name) => !plan.builders.has(name))
  return {
    ...plan,
    builders: new Map([...plan.builders, ...missing.map((name) => [name, builderPlan(chance)] as const)]),
    slaves: new Map(SLAVES.map((name) => [name, plan.slaves.get(name) ?? slavePlan(chance)])),
    schedulers: new Set(SCHEDULERS),
  }
}

export function firstPlan(chance: Chance): Plan {
  return {
    builders: new Map(BUILDERS.slice(0, chance.between(1, 4)).map((name) => [name, builderPlan(chance)])),
    slaves: new Map(SLAVES.slice(0, chance.between(1, 4)).map((name) => [name, slavePlan(chance)])),
    schedulers: new Set(SCHEDULERS.filter((name) => name === 'tests' || chance.often(0.7))),
    stableSeconds: chance.pick([0, 10, 60]),
    mergeRequests: chance.often(0.7),
    edition: 0,
  }
}

/** The same with one thing different. */
export function changedPlan(plan: Plan, chance: Chance): Plan {
  const builders = new Map(plan.builders)
  const slaves = new Map(plan.slaves)
  const schedulers = new Set(plan.schedulers)
  switch (chance.between(0, 9)) {
    case 0: {
      const name = chance.pick(BUILDERS)
      // `b0` stays: the schedulers build it.
      if (name !== 'b0' && builders.has(name)) builders.delete(name)
      else builders.set(name, builderPlan(chance))
      break
    }
    case 1: {
      const name = chance.pick([...builders.keys()])
      builders.set(name, builderPlan(chance))
      break
    }
    case 2: {
      const name = chance.pick(SLAVES)
      if (slaves.has(name) && slaves.size > 1) slaves.delete(name)
      else slaves.set(name, slavePlan(chance))
      break
    }
    case 3:
      slaves.set(chance.pick([...slaves.keys()]), slavePlan(chance))
      break
    case 4: {
      const name = chance.pick(SCHEDULERS)
      if (schedulers.has(name) && name !== 'tests') schedulers.delete(name)
      else schedulers.add(name)
      break
    }
    case 5:
      return { ...plan, stableSeconds: chance.pick([0, 5, 30, 90]) }
    case 6:
      return { ...plan, mergeRequests: !plan.mergeRequests }
    case 7:
    case 8: {
      const name = chance.pick([...builders.keys()])
      const before = builders.get(name)!
      builders.set(name, { ...before, youngestFirst: !before.youngestFirst })
      break
    }
    default:
      return { ...plan, edition: plan.edition + 1 }
  }
  return { ...plan, builders, slaves, schedulers }
}

const slavePlan = (chance: Chance) => ({ maxBuilds: chance.pick([null, 1, 1, 2]), cpu: chance.often(0.2) })

function builderPlan(chance: Chance): BuilderPlan {
  const slaves = SLAVES.filter(() => chance.often(0.5))
  const some = <T>(list: readonly T[]) => (chance.often(0.5) ? [chance.pick(list)] : [])
  return {
    slaves: slaves.length === 0 ? [chance.pick(SLAVES)] : slaves,
    mergeRequests: chance.pick([null, true, false]),
    youngestFirst: chance.often(0.4),
    locks: [
      ...some(['database!', 'database', 'database'] as const),
      ...some(['network!', 'network', 'cpu!', 'cpu'] as const),
    ],
    steps: Array.from({ length: chance.between(1, 3) }, () => ({
      commands: chance.between(0, 2),
      locks: some(['disk!', 'tape', 'tape!'] as const),
      haltOnFailure: chance.often(0.3),
      alwaysRun: chance.often(0.2),
    })),
  }
}

/** A step of some commands. */
const work = defineStep({
  name: 'work',
  async run(context, options: { readonly commands: number }) {
    let worst = 0
    for (let index = 0; index < options.commands; index++) {
      const { exitCode } = await context.run({ kind: 'shell', command: `work ${index}` })
      worst = Math.max(worst, exitCode ?? 1)
    }
    return { result: worst === 0 ? 'success' : worst === 1 ? 'failure' : 'warnings' }
  },
})

/** Locks that builds of a builder hold. */
export const accessesOf = (plan: Plan, name: string): readonly LockAccess[] =>
  (plan.builders.get(name)?.locks ?? []).map((lock) => ACCESS[lock])

/** The real thing. @throws Error when the plan is not a good config. */
export function configOf(plan: Plan, transports: readonly PluginInstance<'slave'>[], probes: Probes): Config {
  const known = (slaves: readonly string[]) => {
    const here = slaves.filter((name) => plan.slaves.has(name))
    return here.length > 0 ? here : [...plan.slaves.keys()].slice(0, 1)
  }
  const builders: Builder[] = [...plan.builders].map(([name, { slaves, mergeRequests, youngestFirst, locks, steps }]) =>
    builder({
      name,
      slaves: known(slaves),
      locks: locks.map((lock) => ACCESS[lock]),
      factory: buildFactory(steps.map((step) => work({ ...step, locks: step.locks.map((lock) => ACCESS[lock]) }))),
      ...(mergeRequests !== null && { mergeRequests }),
      ...(youngestFirst && { nextBuild: (_, requests) => requests.at(-1) }),
    }),
  )
  const options: MasterConfig['options'] = {
    projectName: 'Simulation',
    transports,
    slaves: [...plan.slaves].map(([name, { maxBuilds, cpu: uses }]) =>
      slave({ name, password: 'x', ...(maxBuilds !== null && { maxBuilds }), locks: uses ? [ACCESS.cpu] : [] }),
    ),
    builders,
    schedulers: schedulersOf(plan),
    plugins: probes(plan.edition),
    mergeRequests: plan.mergeRequests,
    buildLease: '30s',
    maxTries: 4,
  }
  // Names come from lists here, which the types of a written config do not know.
  const exported = defineMaster(options as Parameters<typeof defineMaster>[0])
  const result = checkConfig(FILE, { exported, hashOf: () => hashOf(plan) }, createPositions(FILE))
  if (result.config === undefined) throw new Error(formatProblems(result.problems))
  return result.config
}

/** The same plan has the same hash, as the files of a config have. */
export function hashOf(plan: Plan): string {
  const text = JSON.stringify(plan, (_, value) => (value instanceof Map || value instanceof Set ? [...value] : value))
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

export type Probes = (edition: number) => readonly PluginInstance[]
const FILE = '/simulation/master.cfg.ts'

function schedulersOf({ schedulers, builders, stableSeconds }: Plan): PluginInstance<'scheduler'>[] {
  const all = [...builders.keys()]
  const first = all.slice(0, 1)
  const made = {
    tests: () =>
      scheduler({
        name: 'tests',
        branch: 'main',
        treeStableTimer: stableSeconds,
        builders: all,
        fileIsImportant: isCode,
      }),
    quick: () => scheduler({ name: 'quick', branch: 'main', builders: first }),
    any: () => anyBranch({ name: 'any', treeStableTimer: stableSeconds * 2, builders: first, fileIsImportant: isCode }),
    release: () => scheduler({ name: 'release', branch: 'release', builders: all }),
    package: () => dependent({ name: 'package', upstream: 'tests', builders: first }),
  } satisfies Record<SchedulerName, () => PluginInstance<'scheduler'>>
  return [...schedulers].map((name) => made[name]())
}
