import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { hasCode } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { openSqliteStore } from '../../../core/store/open.ts'
import { createSmallDisk } from './small-disk.ts'

describe('a store on a full disk', () => {
  it('refuses transitions with a code, keeps what it acknowledged, and goes on when there is room', async (t) => {
    await using disk = await createSmallDisk(t, 3)
    if (disk === undefined) return
    const open = () =>
      openSqliteStore({ file: join(disk.path, 'state.sqlite'), clock: createFakeClock(), log: createMemoryLog() })
    const store = await open()
    const ballast = join(disk.path, 'ballast')
    await writeFile(ballast, Buffer.alloc(1_000_000))
    const put = (i: number) =>
      store.transition('put', async (trx, tell) => {
        await trx
          .insertInto('meta')
          .values({ key: `k${i}`, value: 'x'.repeat(50_000) })
          .execute()
        tell('slaveLost', { slave: `k${i}`, reason: '' })
      })
    const kept = ['schema']
    const refused: unknown[] = []
    for (let i = 0; i < 60; i++) {
      await put(i).then(
        () => kept.push(`k${i}`),
        (error) => refused.push(error),
      )
    }
    assert.ok(refused.length > 0)
    for (const error of refused) assert.ok(hasCode(error, 'BOLT_STORE_FULL'), String(error))
    await rm(ballast)
    await put(1000)
    kept.push('k1000')
    const keys = async (from: typeof store) =>
      (await from.db.selectFrom('meta').select('key').execute()).map((row) => row.key).sort()
    assert.deepEqual(await keys(store), kept.toSorted())
    await store.close()
    const again = await open()
    assert.deepEqual(await keys(again), kept.toSorted())
    await again.close()
  })

  it('is not opened, with a code', async (t) => {
    await using disk = await createSmallDisk(t, 1)
    if (disk === undefined) return
    const ballast = join(disk.path, 'ballast')
    await writeFile(ballast, Buffer.alloc(2_000_000)).catch(() => {})
    const opening = openSqliteStore({
      file: join(disk.path, 'state.sqlite'),
      clock: createFakeClock(),
      log: createMemoryLog(),
    })
    await assert.rejects(opening, (error) => hasCode(error, 'BOLT_STORE_FULL'))
  })
})
