import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createSeededRandom } from 'boltbot/plugin-sdk/testing'
import { advanceCursor, journalHead, keepCursors, readCursor, readEvents } from '../../core/store/journal.ts'
import type { StoredEvent } from '../../core/store/store.ts'
import { lost, names, type StoreKind, tellLost } from './store-kind.ts'

/** The part of the store's suite that is about events: told in order, none lost, none twice. */
export function journalConformance(kind: StoreKind): void {
  events(kind)
  journal(kind)
}

function events(kind: StoreKind): void {
  it('tells events in the order of the journal, before the promise of their transition resolves', async () => {
    await using under = await kind.open()
    const { store } = under
    const order: (string | number)[] = []
    store.onEvents((some) => order.push(...names(some)))
    await Promise.all(
      ['a', 'b', 'c'].map((slave) => lost(store, slave, `${slave}2`).then(() => order.push(`${slave} resolved`))),
    )
    const told = order.filter((one) => typeof one === 'string' && !one.includes('resolved'))
    assert.deepEqual(told, ['a', 'a2', 'b', 'b2', 'c', 'c2'])
    for (const slave of ['a', 'b', 'c']) assert.ok(order.indexOf(`${slave}2`) < order.indexOf(`${slave} resolved`))
  })

  it('fills in ids that grow and the time, and stores what it tells', async () => {
    await using under = await kind.open()
    const { store } = under
    const told: StoredEvent[] = []
    store.onEvents((some) => told.push(...some))
    await lost(store, 'a', 'b')
    await lost(store, 'c')
    assert.ok(told.every((one) => one.event.at === store.now()))
    assert.ok(told[0]!.event.eventId < told[1]!.event.eventId && told[1]!.event.eventId < told[2]!.event.eventId)
    assert.deepEqual(await readEvents(store, { after: 0, limit: 10 }), told)
  })

  it('goes on when the listener throws', async () => {
    await using under = await kind.open()
    under.store.onEvents(() => {
      throw new Error('a listener')
    })
    await lost(under.store, 'a')
    assert.equal((await readEvents(under.store, { after: 0, limit: 10 })).length, 1)
  })

  it('never gives an id twice, also when the newest events were removed', async () => {
    await using under = await kind.open()
    await lost(under.store, 'a', 'b')
    const before = await journalHead(under.store)
    await under.store.transition('clear', async (trx) => void (await trx.deleteFrom('journal').execute()))
    await under.reopen()
    assert.equal(await journalHead(under.store), before)
    await lost(under.store, 'c')
    assert.ok((await journalHead(under.store)) > before)
  })
}

function journal(kind: StoreKind): void {
  it('reads events after an id, by name, up to a limit', async () => {
    await using under = await kind.open()
    const { store } = under
    for (const slave of ['a', 'b', 'c']) {
      await lost(store, slave)
      await store.transition('reject', async (_, tell) => tell('configRejected', { problems: [] }))
    }
    const all = await readEvents(store, { after: 0, limit: 100 })
    assert.equal(all.length, 6)
    assert.equal(all.at(-1)?.event.eventId, await journalHead(store))
    assert.deepEqual(names(await readEvents(store, { after: 0, names: ['slaveLost'], limit: 2 })), ['a', 'b'])
    const second = all[2]!.event.eventId
    assert.deepEqual(names(await readEvents(store, { after: second, names: ['slaveLost'], limit: 9 })), ['c'])
    assert.deepEqual(await readEvents(store, { after: 0, names: [], limit: 9 }), [])
    assert.deepEqual(await readEvents(store, { after: await journalHead(store), limit: 9 }), [])
  })

  it('shows a reader every event although a later one was committed first', async () => {
    await using under = await kind.open()
    const { store, other } = under
    const gate = Promise.withResolvers<void>()
    let secondEnded = false
    // Its event is told first and committed last, where the database allows that at all.
    const first = store.transition('slow', async (trx, tell) => {
      tellLost(tell, 'slow')
      await trx.selectFrom('meta').selectAll().execute()
      await gate.promise
    })
    const second = lost(other, 'fast').then(() => {
      secondEnded = true
    })
    const seen = new Set<string>()
    const read = async (after: number) => {
      const found = await readEvents(other, { after, limit: 100 })
      for (const name of names(found)) seen.add(name)
      return found.at(-1)?.event.eventId ?? after
    }
    // On a database with one writer the second waits for the first: then there is nothing to read yet.
    for (let turn = 0; turn < 50 && !secondEnded; turn++) await new Promise((resolve) => setImmediate(resolve))
    const reading = secondEnded ? read(0) : Promise.resolve(0)
    const position = secondEnded ? await reading : 0
    gate.resolve()
    await Promise.all([first, second])
    await read(position)
    assert.deepEqual([...seen].sort(), ['fast', 'slow'])
  })

  it('loses no event for a reader that follows two masters writing at once', async () => {
    await using under = await kind.open()
    const seed = 7
    const random = createSeededRandom(seed)
    const seen: string[] = []
    let position = 0
    let writing = true
    const reader = (async () => {
      while (true) {
        const last = !writing
        const found = await readEvents(under.other, { after: position, limit: 7 })
        seen.push(...names(found))
        position = found.at(-1)?.event.eventId ?? position
        if (last && found.length === 0) return
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const masters = [under.store, under.other].map(async (store, who) => {
      for (let i = 0; i < 60; i++) {
        const queries = Math.floor(random.next() * 4)
        await store.transition('some', async (trx, tell) => {
          tellLost(tell, `${who}-${i}`)
          for (let n = 0; n < queries; n++) await trx.selectFrom('meta').selectAll().execute()
        })
      }
    })
    await Promise.all(masters)
    writing = false
    await reader
    assert.equal(new Set(seen).size, 120, `seed ${seed}`)
    assert.equal(seen.length, 120, `seed ${seed}: each once`)
  })

  it('delivers at least once over a crash between the deed and the cursor', async () => {
    await using under = await kind.open()
    await advanceCursor(under.store, 'mail', await journalHead(under.store))
    await lost(under.store, 'a', 'b', 'c')
    const done: string[] = []
    const deliver = async (count: number) => {
      const after = await readCursor(under.store, 'mail')
      for (const one of (await readEvents(under.store, { after: after!, limit: count })).values()) {
        done.push(...names([one]))
        if (done.length === 2) return // the process dies here: "b" was sent, its cursor not stored
        await advanceCursor(under.store, 'mail', one.event.eventId)
      }
    }
    await deliver(3)
    await under.reopen()
    await deliver(3)
    assert.deepEqual(done, ['a', 'b', 'b', 'c'])
  })

  it('moves a cursor forward only, and forgets those of plugins that are gone', async () => {
    await using under = await kind.open()
    const { store } = under
    assert.equal(await readCursor(store, 'mail'), undefined)
    await advanceCursor(store, 'mail', 5)
    await advanceCursor(store, 'mail', 3)
    await advanceCursor(store, 'lamp', 1)
    assert.equal(await readCursor(store, 'mail'), 5)
    await keepCursors(store, ['mail'])
    assert.equal(await readCursor(store, 'lamp'), undefined)
    assert.equal(await readCursor(store, 'mail'), 5)
  })
}
