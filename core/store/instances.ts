import type { Kysely } from 'kysely'
import { tellMissing } from './absences.ts'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/**
 * What the store knows of a latent slave:
 * - *submitting*: the engine is being asked for an instance; whether it took the order is not known until it says so.
 * - *started*: it took it. The instance is on its way, or here.
 * - *ending*: it is to be cancelled, until the engine says that it is gone.
 * - *none*: there is no instance.
 */
export type InstanceState = 'submitting' | 'started' | 'ending' | 'none'

export interface InstanceRecord {
  readonly slave: string
  readonly engine: string
  readonly epoch: number
  readonly request: number
  readonly state: InstanceState
  readonly password: string
  readonly since: number
  readonly failures: number
  readonly notBefore: number
}

/** Keeps where the instance of a slave stands; what an older epoch says is passed over. */
export function keepInstance(store: Store, instance: InstanceRecord): Promise<void> {
  return store.transition('keepInstance', async (trx) => {
    const { slave, request, notBefore, ...same } = instance
    const row = { ...same, request_id: request, not_before: notBefore }
    await trx
      .insertInto('instances')
      .values({ slave, ...row })
      .onConflict((conflict) =>
        conflict.column('slave').doUpdateSet(row).where('instances.epoch', '<=', instance.epoch),
      )
      .execute()
  })
}

/** An instance did not come: the slave is missing, which is told unless it was already. */
export function instanceFailed(
  store: Store,
  instance: InstanceRecord,
  told: { readonly reason: string; readonly notify: readonly string[] },
): Promise<void> {
  return store.transition('instanceFailed', async (trx, tell) => {
    const { slave, failures, notBefore } = instance
    await trx
      .updateTable('instances')
      .set({ state: 'ending', failures, not_before: notBefore })
      .where('slave', '=', slave)
      .where('epoch', '=', instance.epoch)
      .execute()
    const row = { absent_since: instance.since, running: '[]' }
    await trx
      .insertInto('slaves')
      .values({ name: slave, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row).where('slaves.missing_at', 'is', null))
      .execute()
    await tellMissing(trx, tell, store.now(), { name: slave, since: instance.since, ...told })
  })
}

export async function readInstances(db: Kysely<Tables>): Promise<readonly InstanceRecord[]> {
  const rows = await db.selectFrom('instances').selectAll().execute()
  return rows.map(({ request_id, not_before, state, ...same }) => ({
    ...same,
    request: request_id,
    notBefore: not_before,
    state: state as InstanceState, // written here only
  }))
}
