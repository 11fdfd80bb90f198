import { durationMs, type PeopleOptions, type PersonOptions } from 'boltbot/plugin-sdk'
import { ircIdentity, roleList } from './check-access.ts'
import type { PeopleSpec } from './model.ts'
import type { Report, Subject } from './report.ts'
import {
  aFunction,
  anything,
  checkFields,
  duration,
  type Fields,
  isRecord,
  mailAddress,
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
} as const satisfies Record<keyof PeopleOptions, unknown> & Fields

const PERSON = {
  mail: { rule: addressOrNone },
  irc: { rule: ircIdentity },
  roles: { rule: roleList },
} as const satisfies Record<keyof PersonOptions, unknown> & Fields

/** The key `people`: a domain, a function, or an object with all there is to say. */
export function checkPeople(report: Report, master: Subject, people: unknown): void {
  if (typeof people === 'function') return
  if (typeof people === 'string') {
    const expected = domain(people)
    if (expected !== undefined) report(master, ['people'], `It is ${show(people)}. Give ${expected}.`)
    return
  }
  if (!checkFields(report, master, ['people'], people, PEOPLE)) return
  const { table } = people
  if (table !== undefined && !isRecord(table))
    report(master, ['people', 'table'], `It is ${show(table)}. Give an object: { jane: { mail: 'jane@example.org' } }.`)
  else
    for (const [who, entry] of Object.entries(table ?? {}))
      checkFields(report, master, ['people', 'table', who], entry, PERSON)
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
  const { mailDomain = null, table = {}, lookup = null, cacheFor = '10m', lookupTimeout = '10s' } = options
  return {
    mailDomain,
    table,
    lookup,
    cacheMs: durationMs(cacheFor)!, // checked above
    lookupTimeoutMs: durationMs(lookupTimeout)!,
  }
}
