import type { LockAccess } from 'boltbot/plugin-sdk'
import type { LockNeed } from '../locks.ts'

/** The scopes a list of lock accesses means on one slave; a lock named twice is needed once, in the stricter mode. */
export function scopesOn(slave: string, accesses: readonly LockAccess[]): readonly LockNeed[] {
  const needs = new Map<string, LockNeed>()
  for (const { lock, mode } of accesses) {
    const onSlave = lock.kind === 'slaveLock'
    const name = onSlave ? `${lock.name}@${slave}` : lock.name
    const capacity = onSlave ? (lock.maxCountForSlave[slave] ?? lock.maxCount) : lock.maxCount
    const stricter = mode === 'exclusive' || needs.get(name)?.mode === 'exclusive' ? 'exclusive' : 'counting'
    needs.set(name, { scope: { name, capacity }, mode: stricter })
  }
  return [...needs.values()]
}
