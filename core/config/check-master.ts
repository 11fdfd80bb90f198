import type { MasterOptions, Retention } from 'boltbot/plugin-sdk'
import { checkAccess } from './check-access.ts'
import { HTTP_FIELDS } from './check-http.ts'
import { checkOutbox } from './check-outbox.ts'
import { checkPeople } from './check-people.ts'
import { checkStore } from './check-store.ts'
import type { Reporter, Subject } from './report.ts'
import {
  aFunction,
  anything,
  checkFields,
  count,
  duration,
  type Fields,
  flagOrFunction,
  jsonRecord,
  list,
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
  store: { rule: anything },
} as const satisfies Record<keyof MasterOptions<never, never>, unknown> & Fields

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

  const { people, retention, http, access, outbox, store } = options
  if (access !== undefined) checkAccess(report, master, access, people)
  if (outbox !== undefined) checkOutbox(report, master, outbox)
  if (store !== undefined) checkStore(report, master, store)
  if (http !== undefined) checkFields(report, master, ['http'], http, HTTP_FIELDS)
  if (people !== undefined) checkPeople(report, master, people)
  const kinds = Object.fromEntries(Object.keys(RETENTION).map((key) => [key, { rule: anything }]))
  if (retention !== undefined && checkFields(report, master, ['retention'], retention, kinds))
    for (const [kind, fields] of Object.entries(RETENTION))
      if (retention[kind] !== undefined) checkFields(report, master, ['retention', kind], retention[kind], fields)
}
