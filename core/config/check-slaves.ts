import { durationMs, type Lock, type LockAccess, originOf, type SecretRef, type SlaveOptions } from 'boltbot/plugin-sdk'
import { latentOf } from './check-latent.ts'
import type { LockBook } from './check-locks.ts'
import type { SlaveSpec } from './model.ts'
import { type Reporter, type Subject, subjectOf } from './report.ts'
import {
  anything,
  checkFields,
  count,
  duration,
  type Fields,
  isRecord,
  jsonRecord,
  list,
  mailAddress,
  name,
  type Rule,
  show,
  textOrSecret,
} from './rules.ts'

const receivers: Rule = (value) =>
  [value].flat().every((item) => (`${item}`.includes('@') ? mailAddress(item) : name(item)) === undefined)
    ? undefined
    : `a mail address or a name that people has, or a list of such`

const FIELDS = {
  name: { rule: name, required: true },
  password: { rule: textOrSecret, hidden: true },
  maxBuilds: { rule: count },
  properties: { rule: jsonRecord },
  locks: { rule: list },
  notifyOnMissing: { rule: receivers },
  missingTimeout: { rule: duration },
  latent: { rule: anything },
} as const satisfies Record<keyof SlaveOptions, unknown> & Fields

export interface CheckedSlave {
  readonly spec: SlaveSpec
  readonly subject: Subject
}

/** The slaves of the config by name; those with problems are there as well, so that naming them is no second problem. */
export function checkSlaves(
  { report, placeOf }: Reporter,
  master: Subject,
  value: unknown,
  locks: LockBook,
): ReadonlyMap<string, CheckedSlave> {
  const slaves = new Map<string, CheckedSlave>()
  if (!Array.isArray(value)) return slaves
  if (value.length === 0) report(master, ['slaves'], `There are no slaves. Add one: slave({ name: 'bot-1' }).`)
  value.forEach((item: unknown, i) => {
    if (!isRecord(item) || item.kind !== 'slave') {
      report(master, ['slaves', i], `It is ${show(item)}, not a slave. Make it with slave({ name: 'bot-1' }).`)
      return
    }
    const label = typeof item.name === 'string' ? `slave "${item.name}"` : `slaves[${i}]`
    const subject = subjectOf(label, item, [0], { ...master, base: [...master.base, 'slaves', i] })
    if (!checkFields(report, subject, [], item.options, FIELDS)) return
    const options = item.options as unknown as SlaveOptions // as far as it was found right; what is not, is reported
    if (typeof options.name !== 'string') return
    const first = slaves.get(options.name)
    if (value.indexOf(item) < i) {
      report(master, ['slaves', i], `The slave "${options.name}" stands here a second time. Remove one.`)
      return
    }
    if (first) {
      const at = originOf(item) === undefined ? '' : ` The first is at ${placeOf(first.subject, ['name'])}.`
      report(subject, ['name'], `Two slaves are named "${options.name}".${at} Rename one.`)
      return
    }
    const spec: SlaveSpec = {
      name: options.name,
      password: (options.password as string | SecretRef | undefined) ?? null,
      maxBuilds: options.maxBuilds ?? null,
      properties: options.properties ?? {},
      locks: locks.accessList(subject, ['locks'], options.locks as readonly (Lock | LockAccess)[] | undefined),
      notifyOnMissing: [options.notifyOnMissing ?? []].flat(),
      missingTimeoutMs: durationMs(options.missingTimeout ?? (options.latent === undefined ? '1h' : '20m')) ?? 0,
      latent: latentOf(report, subject, options),
    }
    slaves.set(options.name, { spec, subject })
  })
  return slaves
}
