import type { Store } from './store.ts'

/** How a poller fares, as far as it outlives the process. */
export interface PollerHealth {
  /** When the last poll began. */
  readonly polledAt: number
  /** When the last poll that did not fail began; `null`: none did. */
  readonly goodAt: number | null
  /** In a row, up to now. */
  readonly failures: number
  /** What the last poll failed with; `null`: it did not. */
  readonly error: string | null
}

export async function readPoller({ db }: Store, source: string): Promise<PollerHealth | undefined> {
  const row = await db.selectFrom('pollers').selectAll().where('source', '=', source).executeTakeFirst()
  return row && { polledAt: row.polled_at, goodAt: row.good_at, failures: row.failures, error: row.error }
}

/** A poll has ended. One that failed is told. */
export function recordPoll(store: Store, source: string, health: PollerHealth): Promise<void> {
  const { polledAt, goodAt, failures, error } = health
  return store.transition('recordPoll', async (trx, tell) => {
    const row = { polled_at: polledAt, good_at: goodAt, failures, error }
    await trx
      .insertInto('pollers')
      .values({ source, ...row })
      .onConflict((conflict) => conflict.column('source').doUpdateSet(row))
      .execute()
    if (error !== null) tell('sourceFailing', { source, error, failures })
  })
}

/** Forgets all other pollers: they are no longer in the config. */
export function keepPollers(store: Store, sources: readonly string[]): Promise<void> {
  return store.transition('keepPollers', async (trx) => {
    let gone = trx.deleteFrom('pollers')
    if (sources.length > 0) gone = gone.where('source', 'not in', [...sources])
    await gone.execute()
  })
}
