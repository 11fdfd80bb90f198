import { CiError, messageOf } from 'boltbot/plugin-sdk'
import type { LogKey } from './log-store.ts'

/** The result codes of SQLite that mean something to an operator. */
const SQLITE = { busy: 5, locked: 6, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const

export const storeNewer = (file: string, found: number, known: number) =>
  new CiError({
    code: 'BOLT_STORE_NEWER',
    message: `The store "${file}" has schema version "${found}", and this program knows only up to ${known}: start it with the newer boltbot that wrote it.`,
    details: { file, found, known },
  })

export const storeUnreadable = (file: string, reason: string, cause?: unknown) =>
  new CiError({
    code: 'BOLT_STORE_UNREADABLE',
    message: `The store "${file}" cannot be opened (${reason}): check its path, owner and mode, or restore it from a backup.`,
    details: { file, reason },
    cause,
  })

export const storeLocked = (file: string) =>
  new CiError({
    code: 'BOLT_STORE_LOCKED',
    message: `The store "${file}" is in use by another process: stop the other master, or give this one a store of its own.`,
    details: { file },
  })

export const storeFull = (file: string, cause?: unknown) =>
  new CiError({
    code: 'BOLT_STORE_FULL',
    message: `The disk of the store "${file}" is full: make room, what was asked for was not stored.`,
    details: { file },
    cause,
  })

export const storeSyncFailed = (file: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_STORE_SYNC',
    message: `The store "${file}" could not be synced to disk (${messageOf(cause)}): check the disk and start the master again, nothing more is stored until then.`,
    details: { file },
    cause,
  })

export const storeClosed = (transition: string) =>
  new CiError({
    code: 'BOLT_STORE_CLOSED',
    message: `The transition "${transition}" was asked for after the store was closed: stop what asks before the store.`,
    details: { transition },
  })

export const transitionStuck = (transition: string) =>
  new CiError({
    code: 'BOLT_STORE_STUCK',
    message: `The transition "${transition}" did not end and was rolled back: its body must await nothing but queries on its own transaction.`,
    details: { transition },
  })

export const transactionOver = (transition: string) =>
  new CiError({
    code: 'BOLT_STORE_TRANSACTION_OVER',
    message: `The transition "${transition}" used its transaction after its end: await every query in its body.`,
    details: { transition },
  })

export const writeOutside = (kind: string) =>
  new CiError({
    code: 'BOLT_STORE_READ_ONLY',
    message: `A query of kind "${kind}" was made outside a transition: write in store.transition, store.db only reads.`,
    details: { kind },
  })

export const logUnwritable = (key: Partial<LogKey>, reason: string) =>
  new CiError({
    code: 'BOLT_LOGS_WRITE',
    message: `The log "${logName(key)}" could not be written (${reason}): check the disk of the logs folder.`,
    details: { ...key, reason },
  })

export const logFinished = (key: Partial<LogKey>) =>
  new CiError({
    code: 'BOLT_LOGS_FINISHED',
    message: `The log "${logName(key)}" is finished: nothing can be appended, write to it before its step ends.`,
    details: { ...key },
  })

export const logUnreadable = (key: Partial<LogKey>, reason: string) =>
  new CiError({
    code: 'BOLT_LOGS_READ',
    message: `The log "${logName(key)}" could not be read (${reason}): check the disk and the mode of the logs folder.`,
    details: { ...key, reason },
  })

export const logsClosed = () =>
  new CiError({
    code: 'BOLT_LOGS_CLOSED',
    message: 'The log store was asked after it was closed: stop what asks before the store.',
  })

/** What SQLite threw, as a coded error where an operator can act on it; everything else stays as it is. */
export function asStoreError(file: string, error: unknown): unknown {
  switch (resultCode(error)) {
    case SQLITE.busy:
    case SQLITE.locked:
      return storeLocked(file)
    case SQLITE.full:
      return storeFull(file, error)
    case SQLITE.ioError:
    case SQLITE.corrupt:
    case SQLITE.cantOpen:
    case SQLITE.notADatabase:
      return storeUnreadable(file, messageOf(error), error)
    default:
      return error
  }
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  // The extended code keeps the plain one in its low byte.
  return error.errcode & 0xff
}

function logName({ build, step, log, epoch }: Partial<LogKey>): string {
  return [build, step, log, epoch].filter((part) => part !== undefined).join('/')
}
