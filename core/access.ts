import type { GuardedAction } from 'boltbot/plugin-sdk'
import type { Config } from './config/model.ts'
import { accessRefused } from './errors.ts'

/**
 * The policy `access` of the config. It judges people whom a way in lets come from outside: orders that say what is known of them
 * (`proofs`). The command line, signals and plugins acting by themselves belong to whoever runs the master.
 * @throws CiError `BOLT_ACCESS_REFUSED`.
 */
export function checkAccess({ access, people }: Pick<Config, 'access' | 'people'>, action: GuardedAction): void {
  const { proofs } = action
  if (proofs === undefined) return
  const known = [...proofs, `via:${action.via}`]
  const roles = rolesOf(people.table, known)
  const isLetIn = (rule: string) =>
    rule === 'anyone' ||
    (rule.startsWith('role:') ? roles.has(rule.slice('role:'.length)) : known.some((proof) => proves(proof, rule)))
  if (!(access[action.action] ?? []).some(isLetIn)) throw accessRefused(action.action, action.who)
}

/** The roles of all people of the table whom the proofs fit. */
function rolesOf(table: Config['people']['table'], proofs: readonly string[]): ReadonlySet<string> {
  const fits = (ids: readonly string[]) => ids.some((id) => proofs.some((proof) => proves(proof, id)))
  const entries = Object.entries(table).filter(([who, { irc }]) =>
    fits([`person:${who}`, ...(typeof irc === 'string' ? [irc] : (irc ?? []))]),
  )
  return new Set(entries.flatMap(([, { roles }]) => roles ?? []))
}

/** Equal, but for masks: `*` in a rule `host:` stands for any text. Case does not count, as on IRC. */
function proves(proof: string, rule: string): boolean {
  if (!rule.startsWith('host:')) return proof.toLowerCase() === rule.toLowerCase()
  const pattern = rule.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`, 'is').test(proof)
}
