import assert from 'node:assert/strict'
import { fstatSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { hasCode, messageOf } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { sql } from 'kysely'
import { readEvents } from '../../../core/store/journal.ts'
import type { Store } from '../../../core/store/store.ts'
import { createSqliteRig } from './sqlite-rig.ts'

describe('the transitions of the SQLite store', () => {
  it('share one commit when they are asked for in one tick', async () => {
    await using rig = await createSqliteRig()
    const commits = countCommits(rig.store)
    await Promise.all(Array.from({ length: 10 }, (_, i) => lost(rig.store, `bot-${i}`)))
    assert.deepEqual(commits, [10])
  })

  it('share it also with those that a promise of the same turn asks for, and never in masses', async () => {
    await using rig = await createSqliteRig()
    const commits = countCommits(rig.store)
    await Promise.all([lost(rig.store, 'a'), Promise.resolve().then(() => lost(rig.store, 'b'))])
    assert.deepEqual(commits, [2])
    await Promise.all(Array.from({ length: 100 }, (_, i) => lost(rig.store, `bot-${i}`)))
    assert.ok(Math.max(...commits) <= 16, `commits of ${commits}`)
  })

  it('are durable when the store is closed, also what nobody waited for', async () => {
    const disk = createSlowDisk()
    await using rig = await createSqliteRig({ sync: disk.sync })
    disk.slow()
    const done = rig.store.transition(
      'test',
      async (trx) => void (await trx.insertInto('meta').values({ key: 'a', value: 'b' }).execute()),
      { patient: true },
    )
    let closed = false
    const closing = rig.store.close().then(() => {
      closed = true
    })
    await until(() => disk.waiting.length === 1, { what: 'the sync' })
    // What does not wait for it has closed the file by then.
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(closed, false)
    disk.fast()
    await Promise.all([done, closing])
  })

  it('are told and resolved only when a sync that began after the commit has ended', async () => {
    const disk = createSlowDisk()
    await using rig = await createSqliteRig({ sync: disk.sync })
    const told: string[] = []
    rig.store.onEvents((some) => told.push(...some.map((one) => one.name)))
    disk.slow()
    let resolved = false
    const transition = lost(rig.store, 'a').then(() => {
      resolved = true
    })
    await until(() => disk.waiting.length === 1, { what: 'the sync' })
    assert.equal((await rig.store.db.selectFrom('journal').selectAll().execute()).length, 1, 'committed')
    assert.deepEqual([told, resolved], [[], false])
    assert.deepEqual(await readEvents(rig.store, { after: 0, limit: 9 }), [], 'not durable')
    disk.fast()
    await transition
    assert.deepEqual(told, ['slaveLost'])
    assert.equal((await readEvents(rig.store, { after: 0, limit: 9 })).length, 1)
  })

  it('go on while the disk syncs, and the next sync covers all of them', async () => {
    const disk = createSlowDisk()
    await using rig = await createSqliteRig({ sync: disk.sync })
    disk.slow()
    const all: Promise<void>[] = []
    for (let i = 0; i < 10; i++) {
      all.push(lost(rig.store, `bot-${i}`))
      await until(async () => (await count(rig.store)) === i + 1, { what: `commit ${i}` })
    }
    const begun = disk.begun()
    disk.fast()
    await Promise.all(all)
    assert.ok(begun <= 3 && disk.begun() - begun <= 1, `${disk.begun()} syncs for 10 commits`)
  })

  it('tell their events in order although a later sync ends first', async () => {
    const disk = createSlowDisk()
    await using rig = await createSqliteRig({ sync: disk.sync })
    const order: string[] = []
    rig.store.onEvents((some) => order.push(...some.map((one) => (one.name === 'slaveLost' ? one.event.slave : ''))))
    disk.slow()
    const first = lost(rig.store, 'first')
    await until(() => disk.waiting.length === 1, { what: 'the first sync' })
    const second = lost(rig.store, 'second')
    await until(() => disk.waiting.length === 2, { what: 'the second sync' })
    disk.waiting[1]!.resolve()
    await rig.clock.settle()
    assert.deepEqual(order, [])
    disk.fast()
    await Promise.all([first, second])
    assert.deepEqual(order, ['first', 'second'])
  })

  it('promise nothing more after a sync that failed', async () => {
    const disk = createSlowDisk()
    await using rig = await createSqliteRig({ sync: disk.sync })
    disk.slow()
    const first = lost(rig.store, 'a')
    await until(() => disk.waiting.length === 1, { what: 'the sync' })
    const second = lost(rig.store, 'b')
    disk.waiting[0]!.reject(new Error('EIO: i/o error'))
    const isBroken = (error: unknown) => hasCode(error, 'BOLT_STORE_SYNC') && /EIO/.test(messageOf(error))
    await assert.rejects(first, isBroken)
    await assert.rejects(second, isBroken)
    await assert.rejects(lost(rig.store, 'c'), isBroken)
    assert.equal(rig.log.find('error', 'store sync failed').length, 1)
    disk.fast()
  })

  it('tell once, before anybody hears of it, that a sync failed', async () => {
    const told: string[] = []
    const disk = createSlowDisk()
    const broken = (error: { readonly code: string }) => void told.push(error.code)
    await using rig = await createSqliteRig({ sync: disk.sync, broken })
    disk.slow()
    const first = lost(rig.store, 'a').finally(() => told.push('heard'))
    await until(() => disk.waiting.length === 1, { what: 'the sync' })
    disk.waiting[0]!.reject(new Error('EIO: i/o error'))
    await assert.rejects(first)
    await assert.rejects(lost(rig.store, 'b'))
    assert.deepEqual(told, ['BOLT_STORE_SYNC', 'heard'])
  })

  it('sync the file that the commits go to, over checkpoints and reopening', async () => {
    let fd = -1
    await using rig = await createSqliteRig({
      sync: async (given) => {
        fd = given
      },
    })
    const inode = fstatSync(fd).ino
    const isInWal = (text: string) => readFileSync(`/proc/self/fd/${fd}`).includes(text)
    for (let round = 0; round < 3; round++) {
      await put(rig.store, `marker-${round}`, `found-${round}`)
      assert.ok(isInWal(`found-${round}`), `round ${round}`)
      // More pages than are kept before a checkpoint: the file begins anew.
      await put(rig.store, `bulk-${round}`, 'x'.repeat(12_000_000))
    }
    assert.equal(fstatSync(fd).ino, inode)
    assert.equal(fstatSync(fd).nlink, 1)
    await rig.reopen()
    await put(rig.store, 'marker-3', 'found-3')
    assert.ok(isInWal('found-3'))
  })

  it('are rolled back with a code when they wait for something else, and the others go on', async () => {
    await using rig = await createSqliteRig()
    const stuck = rig.store.transition('hangs', async (trx) => {
      await trx.insertInto('meta').values({ key: 'half', value: '' }).execute()
      await rig.store.db.selectFrom('meta').selectAll().execute()
    })
    const refused = assert.rejects(stuck, (error) => hasCode(error, 'BOLT_STORE_STUCK'))
    const next = put(rig.store, 'next', '')
    await until(() => rig.clock.pending().length > 0, { what: 'the deadline' })
    await rig.clock.advance('11s')
    await refused
    await next
    const keys = (await rig.store.db.selectFrom('meta').select('key').execute()).map((row) => row.key)
    assert.deepEqual(keys.sort(), ['next', 'schema'])
    assert.deepEqual(rig.clock.pending(), [])
  })

  it('cannot use their transaction, nor tell, after their end', async () => {
    await using rig = await createSqliteRig()
    const { trx, tell } = await rig.store.transition('leaks', async (trx, tell) => ({ trx, tell }))
    const isOver = (error: unknown) => hasCode(error, 'BOLT_STORE_TRANSACTION_OVER')
    await assert.rejects(trx.selectFrom('meta').selectAll().execute(), isOver)
    assert.throws(() => tell('slaveLost', { slave: 'a', reason: '' }), isOver)
  })

  it('are the only way to write', async () => {
    await using rig = await createSqliteRig()
    const isRefused = (error: unknown) => hasCode(error, 'BOLT_STORE_READ_ONLY')
    await assert.rejects(rig.store.db.insertInto('meta').values({ key: 'a', value: '' }).execute(), isRefused)
    await assert.rejects(rig.store.db.deleteFrom('meta').execute(), isRefused)
  })

  it('fail with a code when the database may not grow, and work again when it may', async () => {
    await using rig = await createSqliteRig()
    const pages = await sql<{ page_count: number }>`pragma page_count`.execute(rig.store.db)
    await sql`pragma max_page_count = ${sql.lit(pages.rows[0]!.page_count + 5)}`.execute(rig.store.db)
    const results = await Promise.allSettled([
      put(rig.store, 'small', ''),
      put(rig.store, 'large', 'x'.repeat(1_000_000)),
      put(rig.store, 'after', ''),
    ])
    const large = results[1]!
    assert.ok(large.status === 'rejected' && hasCode(large.reason, 'BOLT_STORE_FULL'))
    // Whatever was acknowledged is there, whatever was refused is not.
    const keys = (await rig.store.db.selectFrom('meta').select('key').execute()).map((row) => row.key)
    assert.equal(keys.includes('small'), results[0]!.status === 'fulfilled')
    assert.equal(keys.includes('after'), results[2]!.status === 'fulfilled')
    assert.equal(keys.includes('large'), false)
    await sql`pragma max_page_count = 1000000`.execute(rig.store.db)
    await put(rig.store, 'again', 'x'.repeat(1_000_000))
  })

  it('work in memory, where there is nothing to sync', async () => {
    await using rig = await createSqliteRig({ file: ':memory:' })
    const commits = countCommits(rig.store)
    await Promise.all([lost(rig.store, 'a'), lost(rig.store, 'b')])
    assert.deepEqual(commits, [2])
    assert.equal((await readEvents(rig.store, { after: 0, limit: 9 })).length, 2)
  })
})

/** The listener is called once a commit: gives the number of events of each. */
function countCommits(store: Store): number[] {
  const commits: number[] = []
  store.onEvents((some) => commits.push(some.length))
  return commits
}

/** A disk whose syncs end when the test says so. */
function createSlowDisk() {
  const waiting: PromiseWithResolvers<void>[] = []
  let isSlow = false
  let begun = 0
  return {
    waiting,
    begun: () => begun,
    async sync() {
      if (!isSlow) return
      begun++
      const one = Promise.withResolvers<void>()
      waiting.push(one)
      await one.promise
    },
    slow() {
      isSlow = true
    },
    fast() {
      isSlow = false
      for (const one of waiting.splice(0)) one.resolve()
    },
  }
}

function lost(store: Store, slave: string): Promise<void> {
  return store.transition('lost', async (_, tell) => tell('slaveLost', { slave, reason: 'test' }))
}

function put(store: Store, key: string, value: string): Promise<void> {
  return store.transition('put', async (trx) => void (await trx.insertInto('meta').values({ key, value }).execute()))
}

async function count(store: Store): Promise<number> {
  return (await store.db.selectFrom('journal').select('id').execute()).length
}
