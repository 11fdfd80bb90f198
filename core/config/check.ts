import { dirname, join } from 'node:path'
import { durationMs, type MasterConfig, type OutboxOptions, originOf, type Retention } from 'boltbot/plugin-sdk'
import { checkBuilders } from './check-builders.ts'
import { checkEngines } from './check-latent.ts'
import { checkLockOrder } from './check-lock-order.ts'
import { createLockBook } from './check-locks.ts'
import { checkMaster } from './check-master.ts'
import { peopleOf } from './check-people.ts'
import { checkClaims, checkPasswords, checkPlugins, checkServing } from './check-plugins.ts'
import { checkReferences } from './check-references.ts'
import { checkStepSchedulers, checkUpstreams } from './check-scheduler-names.ts'
import { checkSlaves } from './check-slaves.ts'
import { COPIES } from './copies-folder.ts'
import type { Imported } from './importer.ts'
import type { Config, OutboxSpec, RetentionSpec } from './model.ts'
import { packageVersion } from './plugin-version.ts'
import { innermostFile, type Positions } from './positions.ts'
import { type Problem, sortProblems } from './problem.ts'
import { createReporter, type Subject } from './report.ts'
import { isRecord, show } from './rules.ts'

/** A config, or everything that is wrong with it. */
export type Checked = Accepted | Refused
export interface Accepted {
  readonly config: Config
  readonly problems: readonly []
  /** Of each plugin, by id: for what is found wrong with it later. */
  readonly subjects: ReadonlyMap<string, Subject>
}
export interface Refused {
  readonly config?: undefined
  readonly problems: readonly Problem[]
}

/** Checks all of what a config file exported; never stops at the first problem. */
export function checkConfig(file: string, imported: Imported, positions: Positions): Checked {
  const reporter = createReporter(positions)
  const { exported } = imported
  const master: Subject = { label: 'config', stack: originOf(exported), base: [0] }
  if (!isRecord(exported) || exported.kind !== 'master') {
    const message = `It is ${show(exported)}. End the file with: export default defineMaster({ … }).`
    reporter.report({ ...master, label: 'default export' }, [], message)
    return { problems: reporter.problems }
  }
  const options = isRecord(exported.options) ? exported.options : {}
  checkMaster(reporter, master, options)
  const locks = createLockBook(reporter)
  const slaves = checkSlaves(reporter, master, options.slaves, locks)
  const builders = checkBuilders(reporter, master, options, slaves, locks)
  const plugins = checkPlugins(reporter, master, options, (definition) => {
    const stack = originOf(definition)
    const place = positions.inStack(stack)
    const hash = place === undefined ? '' : imported.hashOf(place.file)
    const code = place?.file ?? innermostFile(stack)
    const version = place === undefined && code !== undefined ? packageVersion(code) : null
    const folder = dirname(file)
    return { hash, file: code, folder, copy: join(folder, COPIES, imported.hashOf(file)), version }
  })
  const categories = new Set([...builders.values()].flatMap(({ spec }) => spec.category ?? []))
  const known = { builders: new Set(builders.keys()), slaves: new Set(slaves.keys()), categories }
  checkReferences(reporter, plugins, known, locks)
  checkClaims(reporter, plugins)
  checkUpstreams(reporter, plugins)
  checkStepSchedulers(reporter, builders.values(), plugins)
  checkPasswords(reporter, plugins, slaves.values())
  checkEngines(reporter, plugins, slaves.values())
  if (options.http === undefined) checkServing(reporter, plugins)
  locks.checkSlaveNames(known.slaves)
  checkLockOrder(reporter.report, builders.values(), slaves)
  if (reporter.problems.length > 0) return { problems: sortProblems(reporter.problems) }

  const given = options as unknown as GivenOptions // no problem was found in them
  return {
    problems: [],
    subjects: new Map(plugins.map(({ spec, subject }) => [spec.id, subject])),
    config: {
      hash: imported.hashOf(file),
      projectName: given.projectName,
      projectURL: given.projectURL ?? null,
      buildbotURL: given.buildbotURL ?? null,
      http: given.http ? { host: '127.0.0.1', trustedProxies: [], ...given.http } : null,
      slaves: new Map([...slaves].map(([name, { spec }]) => [name, spec])),
      builders: new Map([...builders].map(([name, { spec }]) => [name, spec])),
      plugins: plugins.map(({ spec }) => spec),
      properties: given.properties ?? {},
      prioritizeBuilders: given.prioritizeBuilders ?? null,
      buildLeaseMs: durationMs(given.buildLease ?? '60s')!,
      maxTries: given.maxTries ?? 3,
      people: peopleOf(given.people),
      access: given.access ?? {},
      retention: retentionOf(given.retention ?? {}),
      outbox: outboxOf(given.outbox ?? {}),
      store: given.store ? { password: null, ...given.store } : null,
    },
  }
}

type GivenOptions = MasterConfig['options']

function retentionOf({ builds, logs, changes, journal }: Retention): RetentionSpec {
  const ageMs = (age: string | number | undefined) => (age === undefined ? null : durationMs(age)!)
  return {
    builds: { ageMs: ageMs(builds?.age), count: builds?.count ?? null },
    logs: { ageMs: ageMs(logs?.age), count: logs?.count ?? null },
    changes: { ageMs: ageMs(changes?.age), count: changes?.count ?? null },
    journal: { ageMs: ageMs(journal?.age) },
  }
}

function outboxOf({ admins = [], budget, giveUpAfter = '4d' }: OutboxOptions): OutboxSpec {
  const { count, per } = budget || { count: 30, per: '1h' }
  return {
    admins,
    budget: budget === false ? null : { count, perMs: durationMs(per)! },
    giveUpMs: durationMs(giveUpAfter)!,
  }
}
