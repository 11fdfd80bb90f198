import { withOrigin } from './origin.ts'

/** A lock of the config. Two locks are the same lock when kind and name are the same. */
export interface Lock {
  readonly kind: 'masterLock' | 'slaveLock'
  readonly name: string
  /** How many counting holders at once. */
  readonly maxCount: number
  /** Other counts for some slaves (slave locks only). */
  readonly maxCountForSlave: Readonly<Record<string, number>>
  /** Names how it is used: `counting` holders share it up to its count, an `exclusive` one is alone. */
  access(mode: 'counting' | 'exclusive'): LockAccess
}

/** A lock and how it is taken. Made by `lock.access(…)`. */
export interface LockAccess {
  readonly kind: 'lockAccess'
  readonly lock: Lock
  readonly mode: 'counting' | 'exclusive'
}

/** One lock for the whole master. @example const database = masterLock('database') */
export function masterLock(name: string, options: { readonly maxCount?: number } = {}): Lock {
  return makeLock({ kind: 'masterLock', name, maxCount: options.maxCount ?? 1, maxCountForSlave: {} }, masterLock)
}

/** One lock per slave. @example const cpu = slaveLock('cpu', { maxCount: 2, maxCountForSlave: { 'bot-big': 8 } }) */
export function slaveLock(
  name: string,
  options: { readonly maxCount?: number; readonly maxCountForSlave?: Readonly<Record<string, number>> } = {},
): Lock {
  const { maxCount = 1, maxCountForSlave = {} } = options
  return makeLock({ kind: 'slaveLock', name, maxCount, maxCountForSlave }, slaveLock)
}

function makeLock(data: Omit<Lock, 'access'>, factory: (...args: never[]) => unknown): Lock {
  const lock: Lock = withOrigin(
    {
      ...data,
      access: (mode: 'counting' | 'exclusive') => withOrigin({ kind: 'lockAccess' as const, lock, mode }, lock.access),
    },
    factory,
  )
  return lock
}
