import { isJson, type LockAccess, type Step, type StepFlags } from 'boltbot/plugin-sdk'
import { isLock, type LockBook } from './check-locks.ts'
import { checkSchema } from './check-schema.ts'
import { type Reporter, type Subject, subjectOf } from './report.ts'
import { checkFields, type Fields, flag, isRecord, list, name, type Rule, show } from './rules.ts'

const words: Rule = (value) =>
  typeof value === 'string' ||
  (Array.isArray(value) && isJson(value) && value.every((item) => typeof item === 'string'))
    ? undefined
    : `text or a list of texts: ['compile']`

const FLAGS = {
  name: { rule: name },
  haltOnFailure: { rule: flag },
  flunkOnWarnings: { rule: flag },
  flunkOnFailure: { rule: flag },
  warnOnWarnings: { rule: flag },
  warnOnFailure: { rule: flag },
  alwaysRun: { rule: flag },
  doStepIf: {
    rule: (value: unknown) => (typeof value === 'function' ? undefined : flag(value) && 'true, false or a function'),
  },
  locks: { rule: list },
  description: { rule: words },
  descriptionDone: { rule: words },
} as const satisfies Record<keyof StepFlags, unknown> & Fields

export interface CheckedStep {
  readonly step: Step
  readonly subject: Subject
  readonly locks: readonly LockAccess[]
}

/** One step of a builder, with the options its schema gave. */
export function checkStep(
  { report }: Reporter,
  builder: Subject,
  factory: Subject,
  index: number,
  value: unknown,
  book: LockBook,
): CheckedStep | undefined {
  const definition = isRecord(value) && value.kind === 'step' ? value.definition : undefined
  if (!isRecord(definition) || typeof definition.run !== 'function') {
    report(
      factory,
      [0, index],
      `It is ${show(value)}, not a step. Use a step such as shellCommand({ command: 'make' }).`,
    )
    return undefined
  }
  if (name(definition.name) !== undefined)
    report(factory, [0, index], `Its definition has no name. Give it one: defineStep({ name: 'count files', … }).`)
  const step = value as unknown as Step // its kind and definition were looked at
  const title = step.flags?.name ?? step.definition.name
  const subject = subjectOf(`${builder.label} step ${index} "${title}"`, step, [0], {
    ...factory,
    base: [...factory.base, 0, index],
  })
  checkFields(report, subject, [], step.flags, FLAGS)
  const locks = Array.isArray(step.flags?.locks) ? step.flags.locks : []
  locks.forEach((item: unknown, i) => {
    if (isLock(item))
      report(subject, ['locks', i], `Say how it is used: "${item.name}".access('exclusive') or ('counting').`)
  })
  const accesses = book.accessList(
    subject,
    ['locks'],
    locks.filter((item: unknown) => !isLock(item)),
  )
  const options = checkSchema(report, subject, step.definition.schema, step.options)
  return { step: Object.freeze({ ...step, options: options ?? step.options }), subject, locks: accesses }
}
