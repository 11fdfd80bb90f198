import { type BuilderOptions, isSecretRef, type LockAccess, type Step } from 'boltbot/plugin-sdk'
import type { LockBook } from './check-locks.ts'
import type { CheckedSlave } from './check-slaves.ts'
import { checkStep } from './check-steps.ts'
import type { BuilderSpec } from './model.ts'
import { type Reporter, type Subject, subjectOf } from './report.ts'
import {
  aFunction,
  anything,
  checkFields,
  type Fields,
  flag,
  flagOrFunction,
  isRecord,
  jsonRecord,
  knownNames,
  list,
  name,
  type Rule,
  show,
  text,
} from './rules.ts'

const envRule: Rule = (value) => {
  if (!isRecord(value)) return 'an object of variable names and texts'
  const bad = Object.entries(value).find(([, item]) => !isEnvValue(item))
  return bad && `text, interpolate\`…\`, secret('name') or null for each variable: "${bad[0]}" is ${show(bad[1])}`
}

const folderRule: Rule = (value) =>
  typeof value === 'string' && /^[^/\\\0]+$/.test(value) && !/^\.+$/.test(value)
    ? undefined
    : 'the name of one folder, without "/"'

const factoryRule: Rule = (value) =>
  isRecord(value) && value.kind === 'buildFactory' ? undefined : 'steps: buildFactory([ … ])'

const FIELDS = {
  name: { rule: name, required: true },
  slaves: { rule: list, required: true },
  factory: { rule: factoryRule, required: true },
  category: { rule: text },
  description: { rule: anything },
  builddir: { rule: folderRule },
  env: { rule: envRule },
  properties: { rule: jsonRecord },
  locks: { rule: list },
  mergeRequests: { rule: flagOrFunction },
  useProgress: { rule: flag },
  nextBuild: { rule: aFunction },
  nextSlave: { rule: aFunction },
} as const satisfies Record<keyof BuilderOptions, unknown> & Fields

export interface CheckedBuilder {
  readonly spec: BuilderSpec
  readonly subject: Subject
  readonly steps: readonly { readonly subject: Subject; readonly locks: readonly LockAccess[] }[]
}

/** The builders of the config by name; those with problems are there as well, so that naming them is no second problem. */
export function checkBuilders(
  reporter: Reporter,
  master: Subject,
  options: Readonly<Record<string, unknown>>,
  slaves: ReadonlyMap<string, CheckedSlave>,
  locks: LockBook,
): ReadonlyMap<string, CheckedBuilder> {
  const { report, placeOf } = reporter
  const builders = new Map<string, CheckedBuilder>()
  if (!Array.isArray(options.builders)) return builders
  if (options.builders.length === 0)
    report(master, ['builders'], `There are no builders. Add one: builder({ name, slaves, factory }).`)
  options.builders.forEach((item: unknown, i) => {
    if (!isRecord(item) || item.kind !== 'builder') {
      report(master, ['builders', i], `It is ${show(item)}, not a builder. Make it with builder({ … }).`)
      return
    }
    const label = typeof item.name === 'string' ? `builder "${item.name}"` : `builders[${i}]`
    const subject = subjectOf(label, item, [0], { ...master, base: [...master.base, 'builders', i] })
    if (!checkFields(report, subject, [], item.options, FIELDS)) return
    const given = item.options as unknown as BuilderOptions // as far as it was found right; what is not, is reported
    const slaveNames = checkSlaveNames(reporter, subject, given.slaves, slaves)
    const accesses = locks.accessList(subject, ['locks'], given.locks)
    const steps = checkFactory(reporter, subject, given.factory, locks)
    if (typeof given.name !== 'string') return
    const first = builders.get(given.name)
    if ((options.builders as readonly unknown[]).indexOf(item) < i) {
      report(master, ['builders', i], `The builder "${given.name}" stands here a second time. Remove one.`)
      return
    }
    if (first) {
      const message = `Two builders are named "${given.name}". The first is at ${placeOf(first.subject, ['name'])}. Rename one.`
      report(subject, ['name'], message)
      return
    }
    const spec: BuilderSpec = {
      name: given.name,
      slaves: slaveNames,
      steps: steps.map(({ step }) => step),
      chooseSteps: chooserOf(given.factory),
      category: given.category ?? null,
      description: given.description ?? null,
      builddir: given.builddir ?? folderNameOf(given.name),
      env: given.env ?? {},
      properties: given.properties ?? {},
      locks: accesses,
      mergeRequests:
        given.mergeRequests ?? (options as { mergeRequests?: BuilderSpec['mergeRequests'] }).mergeRequests ?? true,
      useProgress: given.useProgress ?? true,
      nextBuild: given.nextBuild ?? null,
      nextSlave: given.nextSlave ?? null,
    }
    const sameFolder = [...builders.values()].find((other) => other.spec.builddir === spec.builddir)
    if (sameFolder) {
      const message = `Its folder on the slaves, "${spec.builddir}", is also that of builder "${sameFolder.spec.name}". Give one of them another builddir.`
      report(subject, [given.builddir === undefined ? 'name' : 'builddir'], message)
    }
    builders.set(given.name, { spec, subject, steps })
  })
  return builders
}

function checkSlaveNames(
  { report }: Reporter,
  subject: Subject,
  value: unknown,
  slaves: ReadonlyMap<string, CheckedSlave>,
): readonly string[] {
  if (!Array.isArray(value)) return []
  if (value.length === 0) report(subject, ['slaves'], 'No slave may run it. Name at least one.')
  const names = new Set<string>()
  value.forEach((item: unknown, i) => {
    const slave = isRecord(item) && item.kind === 'slave' ? item.name : item
    if (typeof slave !== 'string')
      report(subject, ['slaves', i], `It is ${show(item)}, not a slave. Give a slave or a slave's name.`)
    else if (!slaves.has(slave))
      report(
        subject,
        ['slaves', i],
        `It names slave "${slave}", which is not in slaves. ${knownNames(slave, slaves.keys())}`,
      )
    else if (names.has(slave)) report(subject, ['slaves', i], `It names slave "${slave}" twice. Leave one out.`)
    else names.add(slave)
  })
  return [...names]
}

function checkFactory(
  reporter: Reporter,
  builder: Subject,
  factory: unknown,
  locks: LockBook,
): readonly { step: Step; subject: Subject; locks: readonly LockAccess[] }[] {
  if (factoryRule(factory) !== undefined) return []
  const own = subjectOf(`${builder.label} factory`, factory, [], { ...builder, base: [...builder.base, 'factory'] })
  const { steps } = factory as { readonly steps: unknown } // its kind was looked at
  if (typeof steps === 'function') return []
  if (!Array.isArray(steps)) {
    reporter.report(
      own,
      [0],
      `It is ${show(steps)}. Give a list of steps: buildFactory([ … ]), or a function that gives one.`,
    )
    return []
  }
  return steps.flatMap((step: unknown, i) => checkStep(reporter, builder, own, i, step, locks) ?? [])
}

function chooserOf(factory: BuilderOptions['factory'] | undefined): BuilderSpec['chooseSteps'] {
  return typeof factory?.steps === 'function' ? factory.steps : null
}

const isEnvValue = (value: unknown) =>
  value === null ||
  typeof value === 'string' ||
  isSecretRef(value) ||
  (isRecord(value) && value.kind === 'interpolation')

/** A builder's name as the name of a folder on any system. */
function folderNameOf(builder: string): string {
  const safe = builder.replace(/[^\w.-]+/g, '_')
  return /^\.+$/.test(safe) ? '_' : safe
}
