import type { SlaveInfo } from 'boltbot/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

export function slaveConnected(store: Store, slave: string, peer: string, info: SlaveInfo): Promise<void> {
  return store.transition('slaveConnected', async (trx, tell) => {
    const row = { admin: info.admin, host: info.host, connected_at: store.now(), lost_at: null }
    await trx
      .insertInto('slaves')
      .values({ name: slave, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute()
    tell('slaveConnected', { slave, peer })
  })
}

export function slaveLost(store: Store, slave: string, reason: string): Promise<void> {
  return store.transition('slaveLost', async (trx, tell) => {
    await trx.updateTable('slaves').set({ lost_at: store.now() }).where('name', '=', slave).execute()
    tell('slaveLost', { slave, reason })
  })
}

/** What is on record about slaves that are not connected now. */
export async function readSlaves(
  db: Kysely<Tables>,
): Promise<ReadonlyMap<string, { admin: string | null; host: string | null; lostAt: number | null }>> {
  const rows = await db.selectFrom('slaves').selectAll().execute()
  return new Map(rows.map((row) => [row.name, { admin: row.admin, host: row.host, lostAt: row.lost_at }]))
}
