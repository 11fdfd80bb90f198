import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from 'boltbot/plugin-sdk'
import { createSeededRandom, until } from 'boltbot/plugin-sdk/testing'
import { startBuild } from '../../core/store/builds.ts'
import { createBuildset } from '../../core/store/buildsets.ts'
import { acceptChange, readChanges } from '../../core/store/changes.ts'
import { advanceCursor, readCursor, readEvents } from '../../core/store/journal.ts'
import { readMasterId } from '../../core/store/meta.ts'
import { deletePluginState, getPluginState, setPluginState } from '../../core/store/plugin-state.ts'
import { countBefore, firstWaiting, openRequests, readRequest, sameKeyWaiting } from '../../core/store/requests.ts'
import type { Store, StoredEvent } from '../../core/store/store.ts'
import { journalConformance } from './journal.ts'
import { peopleConformance } from './people.ts'
import { lost, names, type StoreKind, tellLost } from './store-kind.ts'

/** What every store has to do, whatever database it is over. */
export function storeConformance(kind: StoreKind): void {
  describe(`the store over ${kind.name}`, () => {
    transitions(kind)
    journalConformance(kind)
    claims(kind)
    queueOrder(kind)
    small(kind)
    many(kind)
    peopleConformance(kind)
  })
}

const EMPTY_STAMP = { branch: 'main', revision: null, repository: '', project: '', codebase: '', patch: null }

function transitions(kind: StoreKind): void {
  it('keeps nothing of a transition that throws, and all of those beside it', async () => {
    await using under = await kind.open()
    const { store } = under
    const told: StoredEvent[] = []
    store.onEvents((some) => told.push(...some))
    const results = await Promise.allSettled([
      put(store, 'a', '1'),
      store.transition('bad', async (trx, tell) => {
        await trx.insertInto('meta').values({ key: 'b', value: '2' }).execute()
        await trx.updateTable('meta').set({ value: 'spoilt' }).where('key', '=', 'a').execute()
        tellLost(tell, 'never')
        throw new Error('no')
      }),
      put(store, 'c', '3'),
    ])
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal(results[1]?.status === 'rejected' && results[1].reason.message, 'no')
    assert.deepEqual(await pairs(store), { a: '1', c: '3' })
    assert.deepEqual(told, [])
  })

  it('keeps nothing of a transition whose query fails, and goes on', async () => {
    await using under = await kind.open()
    const { store } = under
    await put(store, 'a', '1')
    await assert.rejects(
      store.transition('twice', async (trx) => {
        await trx.insertInto('meta').values({ key: 'b', value: '2' }).execute()
        await trx.insertInto('meta').values({ key: 'a', value: '2' }).execute()
      }),
    )
    await put(store, 'c', '3')
    assert.deepEqual(await pairs(store), { a: '1', c: '3' })
  })

  it('gives back what the body returned, and shows it to readers at once', async () => {
    await using under = await kind.open()
    assert.equal(await put(under.store, 'a', '1'), 'a')
    assert.deepEqual(await pairs(under.store), { a: '1' })
    assert.deepEqual(await pairs(under.other), { a: '1' })
  })

  it('never shows readers half of a transition', async () => {
    await using under = await kind.open()
    const { store, other } = under
    const seen: number[] = []
    const writing = Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        store.transition('pair', async (trx) => {
          await trx
            .insertInto('meta')
            .values({ key: `left${i}`, value: '' })
            .execute()
          await trx.selectFrom('meta').selectAll().execute()
          await trx
            .insertInto('meta')
            .values({ key: `right${i}`, value: '' })
            .execute()
        }),
      ),
    )
    const reading = (async () => {
      for (let last = 0; last < 60; ) {
        last = Object.keys(await pairs(other)).length
        seen.push(last)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    await Promise.all([writing, reading])
    assert.deepEqual(
      seen.filter((count) => count % 2 === 1),
      [],
    )
  })

  it('loses no step of a counter that two masters count', async () => {
    await using under = await kind.open()
    await advanceCursor(under.store, 'counter', 1)
    const add = (store: Store) =>
      store.transition('add', async (trx) => {
        await trx
          .updateTable('cursors')
          .set((eb) => ({ event_id: eb('event_id', '+', 1) }))
          .where('plugin', '=', 'counter')
          .execute()
        await trx.selectFrom('meta').selectAll().execute()
      })
    await Promise.all(Array.from({ length: 50 }, (_, i) => add(i % 2 === 0 ? under.store : under.other)))
    assert.equal(await readCursor(under.store, 'counter'), 51)
  })

  it('keeps everything when it is closed and opened again', async () => {
    await using under = await kind.open()
    await put(under.store, 'a', '1')
    await lost(under.store, 'bot-1')
    await under.reopen()
    assert.deepEqual(await pairs(under.store), { a: '1' })
    assert.deepEqual(names(await readEvents(under.store, { after: 0, limit: 10 })), ['bot-1'])
  })

  it('refuses transitions after it was closed', async () => {
    await using under = await kind.open()
    const { store } = under
    const last = put(store, 'a', '1')
    await store.close()
    assert.equal(await last, 'a')
    await assert.rejects(put(store, 'b', '2'), (error) => hasCode(error, 'BOLT_STORE_CLOSED'))
    await store.close()
  })
}

function claims(kind: StoreKind): void {
  it('lets one of many claims win, and refuses writes of the claim before', async () => {
    await using under = await kind.open()
    const { store, other } = under
    const request = await store.transition('request', async (trx) => {
      const row = { buildset_id: 1, builder: 'full', priority: 0, front: 0, submitted_at: 1, not_before: 0 }
      const values = { ...row, state: 'waiting', epoch: 0, losses: 0 }
      return (await trx.insertInto('requests').values(values).returning('id').executeTakeFirstOrThrow()).id
    })
    const claim = (master: Store, owner: string) =>
      master.transition('claim', async (trx) => {
        const won = await trx
          .updateTable('requests')
          .set((eb) => ({ state: 'claimed', owner, epoch: eb('epoch', '+', 1) }))
          .where('id', '=', request)
          .where('state', '=', 'waiting')
          .returning('epoch')
          .executeTakeFirst()
        return won && { owner, epoch: won.epoch }
      })
    const write = (master: Store, epoch: number, state: string) =>
      master.transition('write', async (trx) => {
        const query = trx.updateTable('requests').set({ state }).where('id', '=', request).where('epoch', '=', epoch)
        return (await query.executeTakeFirstOrThrow()).numUpdatedRows
      })
    const masters = Array.from({ length: 10 }, (_, i) => claim(i % 2 === 0 ? store : other, `master-${i}`))
    const won = (await Promise.all(masters)).filter((one) => one !== undefined)
    assert.equal(won.length, 1)
    assert.equal(won[0]!.epoch, 1)
    assert.equal(await write(other, 1, 'waiting'), 1n)
    assert.equal((await claim(other, 'next'))?.epoch, 2)
    assert.equal(await write(store, 1, 'finished'), 0n, 'the stale claim writes nothing')
    assert.equal(await write(other, 2, 'finished'), 1n)
  })
}

function queueOrder(kind: StoreKind): void {
  it('keeps the queue in the order of arrival when the clock is set back, whoever merges or counts', async () => {
    await using under = await kind.open()
    const { store } = under
    const ids = await store.transition('requests', async (trx) => {
      const row = { buildset_id: 1, builder: 'full', front: 0, not_before: 0, state: 'waiting', epoch: 0, losses: 0 }
      const given = [30, 20, 10].map((submitted_at) => ({ ...row, priority: 0, submitted_at, merge_key: 'k' }))
      const values = [...given, { ...row, priority: 1, submitted_at: 40, merge_key: 'k' }]
      return (await trx.insertInto('requests').values(values).returning('id').execute()).map(({ id }) => id)
    })
    const [first, second, third, urgent] = ids.toSorted((a, b) => a - b) as [number, number, number, number]
    const order = [urgent, first, second, third]
    const idsOf = (rows: readonly { readonly id: number }[]) => rows.map(({ id }) => id)
    const { db } = store
    assert.deepEqual(idsOf(await firstWaiting(db, 'full', 50, 10, [])), order)
    assert.deepEqual(idsOf(await sameKeyWaiting(db, 'full', 50, 'k')), order)
    assert.deepEqual(idsOf(await openRequests(db, 'full', 10)), order)
    for (const [before, id] of order.entries())
      assert.equal(await countBefore(db, (await readRequest(db, id))!, 50), before)
  })
}

function many(kind: StoreKind): void {
  it('takes more in one buildset and one build than fits into one query', async () => {
    await using under = await kind.open()
    const { store } = under
    const changes = Array.from({ length: 40_000 }, (_, i) => i + 1)
    const builders = Array.from({ length: 4000 }, (_, i) => ({ name: `b${i}`, mergeKey: null }))
    const sourceStamp = { ...EMPTY_STAMP, changes }
    const asked = { reason: 'test', properties: {}, priority: 0, scheduler: null, owner: null }
    const rest = { key: null, stableMs: null, externalId: null }
    const created = await createBuildset(store, { ...asked, ...rest, sourceStamp, builders })
    assert.equal(new Set(created.requests).size, 4000)
    const { change } = await acceptChange(store, { who: 'jane', files: [], comments: '' }, 'test')
    assert.deepEqual(await readChanges(store.db, changes), [change])
    const started = await startBuild(store, {
      ...{ owner: 'me', builder: 'b0', slave: 'bot', requests: created.requests.slice(0, 1), reason: 'test' },
      ...{ sourceStamp, blamelist: [], configHash: '', agent: null, lease: 1, locks: [], properties: () => ({}) },
    })
    const noted = store.db.selectFrom('build_changes').select((eb) => eb.fn.countAll<number>().as('count'))
    const { count } = await noted.where('build_id', '=', started!.build).executeTakeFirstOrThrow()
    assert.equal(Number(count), 40_000)
  })
}

function small(kind: StoreKind): void {
  it('keeps the state of plugins apart, as JSON', async () => {
    await using under = await kind.open()
    const { store } = under
    const value = { seen: ['a', null, 1.5, true], deep: { text: 'ü\u0000"' } }
    await setPluginState(store, 'p', 'k', 'first')
    await setPluginState(store, 'p', 'k', value)
    await setPluginState(store, 'q', 'k', 7)
    assert.deepEqual(await getPluginState(store, 'p', 'k'), value)
    await deletePluginState(store, 'p', 'k')
    assert.equal(await getPluginState(store, 'p', 'k'), undefined)
    assert.equal(await getPluginState(store, 'q', 'k'), 7)
  })

  it('makes the id of its master once', async () => {
    await using under = await kind.open()
    const id = await readMasterId(under.store, createSeededRandom(1))
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    await under.reopen()
    assert.equal(await readMasterId(under.store, createSeededRandom(2)), id)
  })

  it('keeps integers up to 2^53 as they are', async () => {
    await using under = await kind.open()
    await advanceCursor(under.store, 'far', Number.MAX_SAFE_INTEGER)
    assert.equal(await readCursor(under.store, 'far'), Number.MAX_SAFE_INTEGER)
  })

  it('leaves the event loop its turns while many transitions wait', async () => {
    await using under = await kind.open()
    let turns = 0
    let done = false
    const count = () => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    await until(Promise.all(Array.from({ length: 200 }, (_, i) => put(under.store, `k${i}`, 'v'))), {
      what: '200 transitions',
    })
    done = true
    assert.ok(turns >= 10, `${turns} turns`)
  })
}

function put(store: Store, key: string, value: string): Promise<string> {
  return store.transition('put', async (trx) => {
    await trx.insertInto('meta').values({ key, value }).execute()
    return key
  })
}

async function pairs(store: Store): Promise<Record<string, string>> {
  const rows = await store.db.selectFrom('meta').selectAll().where('key', 'not in', ['schema', 'master']).execute()
  return Object.fromEntries(rows.map((row) => [row.key, row.value]))
}
