import type { AccessOptions } from 'boltbot/plugin-sdk'
import type { Report, Subject } from './report.ts'
import { anything, checkFields, isRecord, knownNames, type Rule, show } from './rules.ts'

const ACTIONS = {
  force: { rule: anything },
  stop: { rule: anything },
  cancel: { rule: anything },
  rebuild: { rule: anything },
  pause: { rule: anything },
  poll: { rule: anything },
  reconfig: { rule: anything },
  shutdown: { rule: anything },
  moderate: { rule: anything },
  ack: { rule: anything },
  iam: { rule: anything },
} as const satisfies Record<keyof AccessOptions, unknown>

const FORMS = `'role:committer', 'account:jane', 'host:*@*.example.org', 'op:#hello', 'voice:#hello', 'person:jane', 'via:irc' or 'anyone'`

/** The key `access`: who may do what. */
export function checkAccess(report: Report, master: Subject, access: unknown, people: unknown): void {
  if (!checkFields(report, master, ['access'], access, ACTIONS)) return
  const table = isRecord(people) ? people.table : undefined
  // Then there may be any role.
  const isLookedUp = typeof people === 'function' || (isRecord(people) && people.lookup !== undefined)
  const roles = new Set(
    Object.values(isRecord(table) ? table : {}).flatMap((entry) =>
      isRecord(entry) && Array.isArray(entry.roles) ? entry.roles : [],
    ),
  )
  for (const action of Object.keys(ACTIONS) as (keyof AccessOptions)[]) {
    const rules = access[action]
    if (rules === undefined) continue
    if (!Array.isArray(rules)) {
      report(master, ['access', action], `"${action}" is ${show(rules)}. Give a list of rules: ${FORMS}.`)
      continue
    }
    rules.forEach((rule: unknown, i) => {
      const path = ['access', action, i]
      const wrong = accessRule(rule)
      if (wrong !== undefined) report(master, path, `It is ${show(rule)}. Give ${wrong}.`)
      else if (typeof rule === 'string' && rule.startsWith('role:') && !isLookedUp && !roles.has(rule.slice(5)))
        report(
          master,
          path,
          `Nobody in people.table has the role "${rule.slice(5)}". ${knownNames(rule.slice(5), roles)}`,
        )
    })
  }
}

const accessRule: Rule = (value) => {
  if (value === 'anyone') return undefined
  if (typeof value !== 'string' || !/^(role|account|host|op|voice|person|via):\S+$/.test(value)) return FORMS
  return isLooseMask(value) ? `a mask that names at least a part of the host: 'host:*@*.example.org'` : undefined
}

/** How a person of the table is known on IRC. */
export const ircIdentity: Rule = (value) => {
  const all = Array.isArray(value) ? value : [value]
  const isOne = (one: unknown) => typeof one === 'string' && /^(account|host|nick):\S+$/.test(one) && !isLooseMask(one)
  return all.length > 0 && all.every(isOne)
    ? undefined
    : `'account:jane', 'host:jane@*.example.org', 'nick:jane', or a list of such`
}

export const roleList: Rule = (value) =>
  Array.isArray(value) && value.every((role) => typeof role === 'string' && /^[\w-]+$/.test(role))
    ? undefined
    : `a list of roles: ['committer', 'admin']`

/** A nickname can be taken by anybody, and so can a user name: only the host says something. */
const isLooseMask = (rule: string) => rule.startsWith('host:') && !/@.*[a-z0-9]/i.test(rule)
