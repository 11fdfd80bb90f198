import type { StoreOptions } from 'boltbot/plugin-sdk'
import type { Report, Subject } from './report.ts'
import { anything, checkFields, type Fields, show, textOrSecret } from './rules.ts'

const FIELDS = {
  postgres: { rule: anything, required: true },
  password: { rule: textOrSecret, hidden: true },
} as const satisfies Record<keyof StoreOptions, unknown> & Fields

const EXAMPLE = `'postgres://ci@db.example.org/boltbot'`

/** The keys of `store`. */
export function checkStore(report: Report, master: Subject, store: unknown): void {
  if (typeof store === 'string') {
    report(master, ['store'], `It is text. Give an object: { postgres: ${EXAMPLE} }.`)
    return
  }
  if (!checkFields(report, master, ['store'], store, FIELDS)) return
  const { postgres } = store
  if (postgres === undefined) return
  const problem = problemOf(postgres)
  if (problem !== undefined) report(master, ['store', 'postgres'], problem)
}

/** An address that holds a password is never shown. */
function problemOf(given: unknown): string | undefined {
  const address = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  if (address === undefined) {
    const shown = typeof given === 'string' && given.includes('@') ? 'no address' : show(given)
    return `It is ${shown}. Give the address of a database: ${EXAMPLE}.`
  }
  if (address.password !== '' || address.searchParams.has('password'))
    return `There is a password in the address. Take it out and give it by itself: password: secret('database').`
  if (address.protocol !== 'postgres:' && address.protocol !== 'postgresql:')
    return `It is ${show(given)}, and "${address.protocol}" is no PostgreSQL. Give an address such as ${EXAMPLE}.`
  if (!/^\/[^/]+$/.test(address.pathname))
    return `It is ${show(given)}, which names no database. Put it behind the server: ${EXAMPLE}.`
  return undefined
}
