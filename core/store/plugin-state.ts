import type { Json } from 'boltbot/plugin-sdk'
import type { Transaction } from 'kysely'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/** What a plugin stored under a key. */
export async function getPluginState(store: Store, plugin: string, key: string): Promise<Json | undefined> {
  const row = await store.db
    .selectFrom('plugin_state')
    .select('value')
    .where('plugin', '=', plugin)
    .where('key', '=', key)
    .executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.value) as Json)
}

export function setPluginState(store: Store, plugin: string, key: string, value: Json): Promise<void> {
  // Now, not when its turn comes: the caller may go on to change the object.
  const text = JSON.stringify(value)
  const put = async (trx: Transaction<Tables>) => {
    await trx
      .insertInto('plugin_state')
      .values({ plugin, key, value: text })
      .onConflict((conflict) => conflict.columns(['plugin', 'key']).doUpdateSet({ value: text }))
      .execute()
  }
  return store.transition('setPluginState', put, { sparing: true })
}

export function deletePluginState(store: Store, plugin: string, key: string): Promise<void> {
  const remove = async (trx: Transaction<Tables>) => {
    await trx.deleteFrom('plugin_state').where('plugin', '=', plugin).where('key', '=', key).execute()
  }
  return store.transition('deletePluginState', remove, { sparing: true })
}
