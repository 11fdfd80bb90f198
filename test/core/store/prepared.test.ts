import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prepared } from '../../../core/store/prepared.ts'
import { createSqliteRig } from './sqlite-rig.ts'

test('a prepared query takes values, nulls and lists of any length, and is built once for each short length', async () => {
  await using rig = await createSqliteRig()
  let built = 0
  const keep = prepared((db, { key, value }: { key: string; value: string | null }) => {
    built++
    return db.insertInto('plugin_state').values({ plugin: 'p', key, value: value ?? '' })
  })
  const find = prepared((db, { keys, limit }: { keys: readonly string[]; limit: number }) => {
    built++
    return db.selectFrom('plugin_state').select(['key', 'value']).where('key', 'in', keys).orderBy('key').limit(limit)
  })
  await rig.store.transition('test', async (trx) => {
    for (const key of ['a', 'b', 'c']) assert.equal((await keep(trx, { key, value: `${key}!` })).numAffectedRows, 1n)
  })
  assert.equal(built, 1)
  const keysOf = async (keys: readonly string[], limit = 9) =>
    (await find(rig.store.db, { keys, limit })).rows.map(({ key, value }) => key + value)
  assert.deepEqual(await keysOf(['a', 'c']), ['aa!', 'cc!'])
  assert.deepEqual(await keysOf(['b', 'x']), ['bb!'])
  assert.deepEqual(await keysOf(['c', 'b', 'a']), ['aa!', 'bb!', 'cc!'])
  assert.deepEqual(await keysOf(['c', 'b', 'a'], 1), ['aa!'])
  assert.deepEqual(await keysOf([]), [])
  assert.equal(built, 4)
  // Lists of all lengths, as merging makes them, must not each leave a text behind.
  const long = ['c', ...Array.from({ length: 500 }, (_, i) => `x${i}`)]
  assert.deepEqual(await keysOf(long), ['cc!'])
  assert.deepEqual(await keysOf(long), ['cc!'])
  assert.equal(built, 6)
})
