import type { Transaction } from 'kysely'
import type { Store, Tell } from './store.ts'
import type { Tables } from './tables.ts'

/**
 * Starts the missing clocks of slaves that should be here and are not. One that runs already goes on: a master that is started
 * again and again does not put it off. Gives since when each is away.
 */
export function beginAbsences(store: Store, slaves: readonly string[]): Promise<ReadonlyMap<string, number>> {
  return store.transition('beginAbsences', async (trx) => {
    const now = store.now()
    const since = new Map<string, number>()
    for (const name of slaves) {
      const running = await trx
        .selectFrom('builds')
        .select(['id as build', 'builder', 'number'])
        .where('state', '=', 'running')
        .where('slave', '=', name)
        .orderBy('id')
        .execute()
      const fresh = { absent_since: now, running: JSON.stringify(running) }
      const { absent_since: kept } = await trx
        .insertInto('slaves')
        .values({ name, ...fresh })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((row) => ({
            absent_since: row.fn.coalesce('slaves.absent_since', row.val(now)),
            // What it had when it was lost stays with the clock that began then.
            running: row
              .case()
              .when('slaves.absent_since', 'is', null)
              .then(fresh.running)
              .else(row.ref('slaves.running'))
              .end(),
          })),
        )
        .returning('absent_since')
        .executeTakeFirstOrThrow()
      since.set(name, kept ?? now)
    }
    return since
  })
}

/** Nobody waits for these slaves any more. */
export function endAbsences(store: Store, slaves: readonly string[]): Promise<void> {
  return store.transition('endAbsences', async (trx) => {
    await trx
      .updateTable('slaves')
      .set({ absent_since: null, missing_at: null, running: null })
      .where('name', 'in', [...slaves])
      .execute()
  })
}

/** Tells that a slave is missing, once per absence. False: it is here, or was told already. */
export function slaveMissing(store: Store, slave: Omit<MissingSlave, 'reason'>): Promise<boolean> {
  return store.transition('slaveMissing', (trx, tell) =>
    tellMissing(trx, tell, store.now(), { ...slave, reason: null }),
  )
}

export interface MissingSlave {
  readonly name: string
  readonly since: number
  readonly notify: readonly string[]
  /** Why an instance did not come. */
  readonly reason: string | null
}

/** For transitions that find a slave missing. */
export async function tellMissing(
  trx: Transaction<Tables>,
  tell: Tell,
  now: number,
  slave: MissingSlave,
): Promise<boolean> {
  const row = await trx
    .updateTable('slaves')
    .set({ missing_at: now })
    .where('name', '=', slave.name)
    .where('absent_since', '=', slave.since)
    .where('missing_at', 'is', null)
    .returning(['last_heard', 'lost_at', 'admin', 'host', 'running'])
    .executeTakeFirst()
  if (row === undefined) return false
  tell('slaveMissing', {
    slave: slave.name,
    since: slave.since,
    lastHeard: row.last_heard ?? row.lost_at,
    admin: row.admin,
    host: row.host,
    reason: slave.reason,
    running: JSON.parse(row.running ?? '[]'),
    notify: slave.notify,
  })
  return true
}
