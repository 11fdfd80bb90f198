import type { Away, Leaving, Pause } from './slaves.ts'
import type { Store } from './store.ts'
import type { SlaveTable } from './tables.ts'

/** Keeps a slave from being given builds; `null`: no longer. */
export function keepPause(store: Store, slave: string, pause: Pause | null): Promise<void> {
  return keep(store, slave, {
    paused_at: pause?.at ?? null,
    paused_by: pause?.by ?? null,
    paused_reason: pause?.reason ?? null,
  })
}

/** Notes a planned absence; `null`: it is over. */
export function keepAway(store: Store, slave: string, away: Away | null): Promise<void> {
  return keep(store, slave, {
    away_until: away?.until ?? null,
    away_by: away?.by ?? null,
    away_reason: away?.reason ?? null,
  })
}

/** Notes that a slave is to exit; `null`: it did, or another program came in its place. */
export function keepLeaving(store: Store, slave: string, leaving: Leaving | null): Promise<void> {
  return keep(store, slave, { leaving_why: leaving?.why ?? null, leaving_agent: leaving?.agent ?? null })
}

function keep(store: Store, name: string, row: Partial<SlaveTable>): Promise<void> {
  return store.transition('keepSlaveWish', async (trx) => {
    await trx
      .insertInto('slaves')
      .values({ name, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute()
  })
}
