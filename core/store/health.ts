import type { Store } from './store.ts'

/** What the process that has a store open knows of it. */
export interface StoreHealth {
  /** Version of the schema. */
  readonly schema: number
  /** The newest event, ms since 1970. */
  readonly lastEvent: number | null
}

/** Has an open store pass one transition that changes nothing. @throws CiError why it stores nothing any more. */
export async function storeHealth(store: Store): Promise<StoreHealth> {
  return await store.transition('storeHealth', async (trx) => {
    const schema = await trx.selectFrom('meta').select('value').where('key', '=', 'schema').executeTakeFirstOrThrow()
    const newest = await trx.selectFrom('journal').select('at').orderBy('id', 'desc').limit(1).executeTakeFirst()
    return { schema: Number(schema.value), lastEvent: newest?.at ?? null }
  })
}
