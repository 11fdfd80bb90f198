import { durationMs, type PeopleOptions, type PersonOptions, type SheriffOptions } from 'boltbot/plugin-sdk'
import { ircIdentity, roleList } from './check-access.ts'
import type { PeopleSpec, SheriffSpec } from './model.ts'
import type { Report, Subject } from './report.ts'
import {
  aFunction,
  anything,
  checkFields,
  duration,
  type Fields,
  isRecord,
  mailAddress,
  name,
  type Rule,
  show,
} from './rules.ts'

const domain: Rule = (value) =>
  typeof value === 'string' && /^[^\s@/]+$/.test(value) ? undefined : `a domain such as 'example.org'`

const addressOrNone: Rule = (value) =>
  value === null || mailAddress(value) === undefined
    ? undefined
    : `one mail address such as 'jane@example.org', or null for none`

const PEOPLE = {
  mailDomain: { rule: domain },
  table: { rule: anything },
  lookup: { rule: aFunction },
  cacheFor: { rule: duration },
  lookupTimeout: { rule: duration },
  owners: { rule: anything },
  sheriff: { rule: anything },
} as const satisfies Record<keyof PeopleOptions, unknown> & Fields

const PERSON = {
  mail: { rule: addressOrNone },
  irc: { rule: ircIdentity },
  roles: { rule: roleList },
} as const satisfies Record<keyof PersonOptions, unknown> & Fields

const DAY_MS = 86_400_000

const day: Rule = (value) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))
    ? undefined
    : `a day such as '2026-01-05'`

const wholeDays: Rule = (value) => {
  const ms = duration(value) === undefined ? durationMs(value as number | string)! : Number.NaN // a duration by the rule
  return ms >= DAY_MS && ms % DAY_MS === 0 ? undefined : `whole days: '1d', '7d'`
}

const timeOfDay: Rule = (value) =>
  typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d$/.test(value) ? undefined : `a time of day such as '09:00'`

const timeZone: Rule = (value) => {
  try {
    if (typeof value !== 'string') throw new TypeError('no text')
    new Intl.DateTimeFormat('en', { timeZone: value })
    return undefined
  } catch {
    return `a time zone such as 'Europe/Berlin'`
  }
}

const names: Rule = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((one) => name(one) === undefined)
    ? undefined
    : `a list of people: ['jane', 'bob']`

const oneOrMoreNames: Rule = (value) =>
  name(value) === undefined || names(value) === undefined ? undefined : `a person, or a list of people: ['jane', 'bob']`

const SHERIFF = {
  rota: { rule: names, required: true },
  start: { rule: day, required: true },
  period: { rule: wholeDays },
  at: { rule: timeOfDay },
  timeZone: { rule: timeZone },
} as const satisfies Record<keyof SheriffOptions, unknown> & Fields

/** The key `people`: a domain, a function, or an object with all there is to say. */
export function checkPeople(report: Report, master: Subject, people: unknown): void {
  if (typeof people === 'function') return
  if (typeof people === 'string') {
    const expected = domain(people)
    if (expected !== undefined) report(master, ['people'], `It is ${show(people)}. Give ${expected}.`)
    return
  }
  if (!checkFields(report, master, ['people'], people, PEOPLE)) return
  const { table, owners, sheriff } = people
  if (sheriff !== undefined) checkFields(report, master, ['people', 'sheriff'], sheriff, SHERIFF)
  if (owners !== undefined) checkOwners(report, master, owners)
  if (table !== undefined && !isRecord(table))
    report(master, ['people', 'table'], `It is ${show(table)}. Give an object: { jane: { mail: 'jane@example.org' } }.`)
  else
    for (const [who, entry] of Object.entries(table ?? {}))
      checkFields(report, master, ['people', 'table', who], entry, PERSON)
}

function checkOwners(report: Report, master: Subject, owners: unknown): void {
  const path = ['people', 'owners']
  if (!isRecord(owners)) {
    report(master, path, `It is ${show(owners)}. Give an object: { 'docs/**': 'jane' }.`)
    return
  }
  for (const [pattern, who] of Object.entries(owners)) {
    if (/^$|^\/|\\|(^|\/)\.\.?(\/|$)/.test(pattern))
      report(
        master,
        [...path, pattern],
        `"${pattern}" fits no file. Give paths as changes name them, from the root of the project: 'docs/**'.`,
      )
    const expected = oneOrMoreNames(who)
    if (expected !== undefined) report(master, [...path, pattern], `It is ${show(who)}. Give ${expected}.`)
  }
}

/** What is wrong with what a lookup gave; `undefined`: nothing. */
export function personProblem(person: unknown): string | undefined {
  const problems: string[] = []
  const report: Report = (_, path, message) => void problems.push(`${path.join('.')}: ${message}`)
  checkFields(report, { label: 'person', stack: undefined, base: [] }, [], person, PERSON)
  return problems[0]
}

export type GivenPeople = string | PeopleOptions | NonNullable<PeopleOptions['lookup']>

export function peopleOf(given: GivenPeople = {}): PeopleSpec {
  const options: PeopleOptions =
    typeof given === 'string' ? { mailDomain: given } : typeof given === 'function' ? { lookup: given } : given
  const {
    mailDomain = null,
    table = {},
    lookup = null,
    cacheFor = '10m',
    lookupTimeout = '10s',
    owners = {},
    sheriff,
  } = options
  return {
    mailDomain,
    table,
    lookup,
    cacheMs: durationMs(cacheFor)!, // checked above
    lookupTimeoutMs: durationMs(lookupTimeout)!,
    owners: Object.entries(owners).map(([pattern, who]) => ({ pattern, who: [who].flat() })),
    sheriff: sheriff === undefined ? null : sheriffOf(sheriff),
  }
}

function sheriffOf({ rota, start, period = '1d', at = '00:00', timeZone }: SheriffOptions): SheriffSpec {
  const [hour = 0, minute = 0] = at.split(':').map(Number)
  return { rota, start, days: durationMs(period)! / DAY_MS, atMinute: hour * 60 + minute, timeZone }
}
