import type { Random } from 'boltbot/plugin-sdk'
import { type ExpressionBuilder, type Kysely, sql } from 'kysely'
import type { Store } from './store.ts'
import type { Tables } from './tables.ts'

/** The id of the master that owns this store: made once, kept over restarts. Claims are written under it. */
export function readMasterId(store: Store, random: Random): Promise<string> {
  return store.transition('readMasterId', async (trx) => {
    const known = await trx.selectFrom('meta').select('value').where('key', '=', 'master').executeTakeFirst()
    if (known !== undefined) return known.value
    const value = uuid(random)
    await trx.insertInto('meta').values({ key: 'master', value }).execute()
    return value
  })
}

/**
 * Under which name this process writes its claims: the master's id and how many times it was started. A process before it that is not
 * quite dead has another one, and its writes are refused once its builds were taken over.
 */
export async function openOwner(store: Store, random: Random): Promise<string> {
  const master = await readMasterId(store, random)
  const starts = await store.transition('openOwner', async (trx) => {
    const { value } = await trx
      .insertInto('meta')
      .values({ key: 'starts', value: '1' })
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet({ value: sql<string>`cast(cast(meta.value as integer) + 1 as text)` }),
      )
      .returning('value')
      .executeTakeFirstOrThrow()
    return value
  })
  return `${master}#${starts}`
}

/** The id of the master that a process of it is an owner for: the same over restarts. */
export const masterOf = (owner: string): string => owner.split('#')[0]!

/** No process of the master was started after this one. */
export async function isNewest(db: Kysely<Tables>, owner: string): Promise<boolean> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', 'starts').executeTakeFirst()
  return row === undefined || owner.endsWith(`#${row.value}`)
}

/** Rows that any process of the same master wrote. */
export const ownersOf = (owner: string) => (eb: ExpressionBuilder<Tables, 'builds'>) => {
  const master = masterOf(owner)
  return eb.or([eb('owner', '=', master), eb('owner', 'like', `${master}#%`)])
}

/** A version 4 UUID. */
function uuid(random: Random): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random.next() * 16))
  digits[12] = 4
  digits[16] = 8 + (digits[16]! % 4)
  const text = digits.map((digit) => digit.toString(16)).join('')
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
