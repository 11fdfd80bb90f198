import type { Clock } from 'boltbot/plugin-sdk'

/** Counts failed logins per address, so that passwords cannot be tried one after the other. */
export interface LoginAttempts {
  allowed(address: string): boolean
  failed(address: string): void
}

const WINDOW_MS = 60_000
/** Addresses remembered at most; the oldest are dropped first. */
const MAX_ADDRESSES = 10_000

export function createLoginAttempts(clock: Pick<Clock, 'now'>, limit: number): LoginAttempts {
  const failures = new Map<string, { since: number; count: number }>()
  const current = (address: string) => {
    const entry = failures.get(address)
    if (entry && clock.now() - entry.since >= WINDOW_MS) {
      failures.delete(address)
      return undefined
    }
    return entry
  }
  return {
    allowed: (address) => (current(address)?.count ?? 0) < limit,
    failed(address) {
      const entry = current(address)
      if (entry) entry.count++
      else failures.set(address, { since: clock.now(), count: 1 })
      if (failures.size > MAX_ADDRESSES) failures.delete(failures.keys().next().value!)
    },
  }
}
