import type { MasterOptions, PeopleOptions, PersonOptions, Retention } from 'boltbot/plugin-sdk'
import { checkAccess, ircIdentity, roleList } from './check-access.ts'
import { HTTP_FIELDS } from './check-http.ts'
import { checkOutbox } from './check-outbox.ts'
import type { Reporter, Subject } from './report.ts'
import {
  aFunction,
  anything,
  checkFields,
  count,
  duration,
  type Fields,
  flagOrFunction,
  isRecord,
  jsonRecord,
  list,
  mailAddress,
  type Rule,
  show,
  text,
  url,
} from './rules.ts'

const FIELDS = {
  projectName: { rule: text, required: true },
  projectURL: { rule: url },
  buildbotURL: { rule: url },
  http: { rule: anything },
  slaves: { rule: list, required: true },
  builders: { rule: list, required: true },
  transports: { rule: list, required: true },
  sources: { rule: list },
  schedulers: { rule: list },
  status: { rule: list },
  plugins: { rule: list },
  properties: { rule: jsonRecord },
  mergeRequests: { rule: flagOrFunction },
  prioritizeBuilders: { rule: aFunction },
  buildLease: { rule: duration },
  maxTries: { rule: count },
  people: { rule: anything },
  access: { rule: anything },
  retention: { rule: anything },
  outbox: { rule: anything },
} as const satisfies Record<keyof MasterOptions<never, never>, unknown> & Fields

const domain: Rule = (value) =>
  typeof value === 'string' && /^[^\s@/]+$/.test(value) ? undefined : `a domain such as 'example.org'`

const PEOPLE = {
  mailDomain: { rule: domain },
  table: { rule: anything },
} as const satisfies Record<keyof PeopleOptions, unknown> & Fields

const PERSON = {
  mail: { rule: mailAddress },
  irc: { rule: ircIdentity },
  roles: { rule: roleList },
} as const satisfies Record<keyof PersonOptions, unknown> & Fields

const KEEP = { age: { rule: duration }, count: { rule: count } } as const
const RETENTION = {
  builds: KEEP,
  logs: KEEP,
  changes: KEEP,
  journal: { age: KEEP.age },
} as const satisfies Record<keyof Retention, Fields>

/** The keys of `defineMaster` and the plain values behind them. */
export function checkMaster({ report }: Reporter, master: Subject, options: Readonly<Record<string, unknown>>): void {
  checkFields(report, master, [], options, FIELDS)
  if (Array.isArray(options.transports) && options.transports.length === 0)
    report(
      master,
      ['transports'],
      'There are no transports, so no slave can be reached. Add one: local({ slaves: [...] }) or agents({ port: 9990 }).',
    )

  const { people, retention, http, access, outbox } = options
  if (access !== undefined) checkAccess(report, master, access, isRecord(people) ? people.table : undefined)
  if (outbox !== undefined) checkOutbox(report, master, outbox)
  if (http !== undefined) checkFields(report, master, ['http'], http, HTTP_FIELDS)
  if (people !== undefined && checkFields(report, master, ['people'], people, PEOPLE)) {
    const { table } = people
    if (table !== undefined && (typeof table !== 'object' || table === null || Array.isArray(table)))
      report(
        master,
        ['people', 'table'],
        `It is ${show(table)}. Give an object: { jane: { mail: 'jane@example.org' } }.`,
      )
    else
      for (const [who, entry] of Object.entries(table ?? {}))
        checkFields(report, master, ['people', 'table', who], entry, PERSON)
  }
  const kinds = Object.fromEntries(Object.keys(RETENTION).map((key) => [key, { rule: anything }]))
  if (retention !== undefined && checkFields(report, master, ['retention'], retention, kinds))
    for (const [kind, fields] of Object.entries(RETENTION))
      if (retention[kind] !== undefined) checkFields(report, master, ['retention', kind], retention[kind], fields)
}
