import type { Clock, Log } from 'boltbot/plugin-sdk'
import { renewLeases } from './store/builds.ts'
import type { Store } from './store/store.ts'

export interface LeasesDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  /** Of one lease. */
  readonly ms: () => number
  readonly running: () => { readonly size: number }
}

/** Keeps the claims of this master's running builds alive: renewed three times as often as they end. */
export function createLeases({ store, clock, log, owner, ms, running }: LeasesDeps) {
  let timer: Disposable | undefined

  function start(): void {
    timer = clock.timer(ms() / 3, () => {
      start()
      if (running().size === 0) return
      renewLeases(store, owner, ms()).catch((error: unknown) => log.error('leases not renewed', { error }))
    })
  }

  return { start, stop: () => timer?.[Symbol.dispose]() }
}
