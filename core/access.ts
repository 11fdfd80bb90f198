import type { GuardedAction } from 'boltbot/plugin-sdk'
import type { Config } from './config/model.ts'
import { accessRefused } from './errors.ts'
import type { PeopleBook } from './people/people.ts'
import { proves } from './people/proofs.ts'

/**
 * The policy `access` of the config. It judges people whom a way in lets come from outside: orders that say what is known of them
 * (`proofs`). The command line, signals and plugins acting by themselves belong to whoever runs the master.
 * @throws CiError `BOLT_ACCESS_REFUSED`; `BOLT_PEOPLE_LOOKUP` when nobody can tell at present.
 */
export async function checkAccess(
  { access }: Pick<Config, 'access'>,
  people: Pick<PeopleBook, 'behind' | 'roles'>,
  action: GuardedAction,
): Promise<void> {
  const { proofs } = action
  if (proofs === undefined) return
  const rules = access[action.action] ?? (OPEN.has(action.action) ? ['anyone'] : [])
  const known = [...proofs, `via:${action.via}`]
  if (rules.some((rule) => rule === 'anyone' || known.some((proof) => provesItself(proof, rule)))) return
  if (rules.some((rule) => /^(person|role):/.test(rule))) {
    for (const who of await people.behind(known)) {
      const roles = rules.some((rule) => rule.startsWith('role:')) ? await people.roles(who) : []
      if (rules.includes(`person:${who}`) || roles.some((role) => rules.includes(`role:${role}`))) return
    }
  }
  throw accessRefused(action.action, action.who)
}

/** An account is linked only by the code that is mailed; an ack is said to all, and can be taken back by all. */
const OPEN: ReadonlySet<GuardedAction['action']> = new Set(['iam', 'ack'])

/** Roles follow from who somebody is; a proof of one is none. */
const provesItself = (proof: string, rule: string) => !rule.startsWith('role:') && proves(proof, rule)
