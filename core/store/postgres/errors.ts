import { CiError, messageOf } from 'boltbot/plugin-sdk'
import { DatabaseError } from 'pg'
import { storeFull, storeLocked } from '../errors.ts'

/** SQLSTATE codes that mean something to an operator. */
const STATE = { lockNotAvailable: '55P03', diskFull: '53100' } as const
/** Wrong user or password, no such database or schema, no right, a server that only reads. */
const REFUSALS = /^(28...|3D000|3F000|42501|25006)$/

export const storeUnreachable = (store: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_STORE_UNREACHABLE',
    message: `The database "${store}" cannot be reached (${reasonOf(cause)}): check that it runs, its address in "store", and that this machine may connect to it.`,
    details: { store },
    cause,
  })

export const storeRefused = (store: string, reason: string, cause?: unknown) =>
  new CiError({
    code: 'BOLT_STORE_REFUSED',
    message: `The database "${store}" refuses the master (${reason}): check user, password and name of the database, and that the user may make tables in it.`,
    details: { store, reason },
    cause,
  })

/** Stays within this room: transactions are run again, readers ask again. */
export class ConnectionLost extends Error {}

/** What the driver threw, as a coded error where an operator can act on it; everything else stays as it is. */
export function asPostgresError(store: string, error: unknown): unknown {
  if (error instanceof ConnectionLost) return storeUnreachable(store, error.cause)
  if (!(error instanceof DatabaseError)) return error
  const { code = '' } = error
  if (code === STATE.lockNotAvailable) return storeLocked(store)
  if (code === STATE.diskFull) return storeFull(store, error)
  return REFUSALS.test(code) ? storeRefused(store, error.message, error) : error
}

/** What is no answer of the server, or the last one it gives. */
export function endsConnection(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return true
  const { severity = '', code = '' } = error
  return severity === 'FATAL' || severity === 'PANIC' || code.startsWith('08')
}

/** One line. A name that stands for several addresses fails with the errors of all of them. */
function reasonOf(cause: unknown): string {
  const error = cause instanceof AggregateError ? cause.errors[0] : cause
  return messageOf(error).replaceAll(/\s+/g, ' ')
}
