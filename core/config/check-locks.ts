import type { Lock, LockAccess } from 'boltbot/plugin-sdk'
import type { KeyPath } from './positions.ts'
import { type Reporter, type Subject, subjectOf } from './report.ts'
import { count, isRecord, knownNames, name, show } from './rules.ts'

/** All locks met in a config. A lock is its kind and name: made twice, it must be made alike. */
export interface LockBook {
  /** The locks of a `locks` list; a bare lock means counting access to it. What is no lock is reported and left out. */
  accessList(subject: Subject, path: KeyPath, value: unknown): readonly LockAccess[]
  /** Notes a lock met anywhere else. */
  add(subject: Subject, path: KeyPath, lock: Lock): void
  /** When all slaves are known: the names in `maxCountForSlave`. */
  checkSlaveNames(known: ReadonlySet<string>): void
}

export function createLockBook({ report, placeOf }: Reporter): LockBook {
  const met = new Map<string, { readonly lock: Lock; readonly subject: Subject }>()

  const add = (user: Subject, path: KeyPath, lock: Lock) => {
    const label = `${lock.kind === 'slaveLock' ? 'slave lock' : 'master lock'} "${lock.name}"`
    const subject = subjectOf(label, lock, [], { ...user, base: [...user.base, ...path] })
    const key = `${lock.kind} ${lock.name}`
    const first = met.get(key)
    if (!first) {
      met.set(key, { lock, subject })
      checkLock(subject, lock)
    } else if (first.lock !== lock && countsOf(first.lock) !== countsOf(lock)) {
      const at = placeOf(first.subject, [0])
      report(
        subject,
        [1],
        `It has ${countsOf(lock)}, but at ${at} a lock of the same name has ${countsOf(first.lock)}. Make the lock once and use it in both places, or rename one.`,
      )
    }
  }

  const checkLock = (subject: Subject, lock: Lock) => {
    const expected = name(lock.name)
    if (expected !== undefined) report(subject, [0], `The lock's name is ${show(lock.name)}. Give ${expected}.`)
    if (count(lock.maxCount) !== undefined)
      report(subject, [1, 'maxCount'], `"maxCount" is ${show(lock.maxCount)}. Give ${count(0)}.`)
    for (const [slave, amount] of Object.entries(lock.maxCountForSlave ?? {}))
      if (count(amount) !== undefined)
        report(subject, [1, 'maxCountForSlave', slave], `"${slave}" has ${show(amount)}. Give ${count(0)}.`)
  }

  const accessOf = (subject: Subject, path: KeyPath, value: unknown): LockAccess | undefined => {
    if (isLock(value)) {
      add(subject, path, value)
      return value.access('counting')
    }
    if (!isRecord(value) || value.kind !== 'lockAccess' || !isLock(value.lock)) {
      report(
        subject,
        path,
        `It is ${show(value)}, not a lock. Write masterLock('name') or lock.access('exclusive'), with the lock made before.`,
      )
      return undefined
    }
    add(subject, path, value.lock)
    const access = value as unknown as LockAccess // its kind and lock are right; the mode is checked next
    if (access.mode === 'counting' || access.mode === 'exclusive') return access
    report(
      subjectOf(`access to "${access.lock.name}"`, access, [], { ...subject, base: [...subject.base, ...path] }),
      [0],
      `The mode is ${show(access.mode)}. Write 'counting' or 'exclusive'.`,
    )
    return undefined
  }

  return {
    add,
    accessList(subject, path, value) {
      if (!Array.isArray(value)) return []
      return value.flatMap((item: unknown, i) => accessOf(subject, [...path, i], item) ?? [])
    },
    checkSlaveNames(known) {
      for (const { lock, subject } of met.values())
        for (const slave of Object.keys(lock.maxCountForSlave ?? {}))
          if (!known.has(slave))
            report(subject, [1, 'maxCountForSlave', slave], `"${slave}" is not in slaves. ${knownNames(slave, known)}`)
    },
  }
}

export function isLock(value: unknown): value is Lock {
  return isRecord(value) && (value.kind === 'masterLock' || value.kind === 'slaveLock')
}

function countsOf(lock: Lock): string {
  const own = Object.entries(lock.maxCountForSlave ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const rest = own.map(([slave, amount]) => `, ${amount} on "${slave}"`).join('')
  return `maxCount ${lock.maxCount}${rest}`
}
