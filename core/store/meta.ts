import type { Random } from 'boltbot/plugin-sdk'
import type { Store } from './store.ts'

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

/** A version 4 UUID. */
function uuid(random: Random): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random.next() * 16))
  digits[12] = 4
  digits[16] = 8 + (digits[16]! % 4)
  const text = digits.map((digit) => digit.toString(16)).join('')
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
