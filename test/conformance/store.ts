import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from 'boltbot/plugin-sdk'
import { createSeededRandom, until } from 'boltbot/plugin-sdk/testing'
import { advanceCursor, journalHead, keepCursors, readCursor, readEvents } from '../../core/store/journal.ts'
import { readMasterId } from '../../core/store/meta.ts'
import { deletePluginState, getPluginState, setPluginState } from '../../core/store/plugin-state.ts'
import type { Store, StoredEvent, Tell } from '../../core/store/store.ts'

/** A kind of store, to be put through the suite. */
export interface StoreKind {
  readonly name: string
  open(): Promise<StoreUnderTest>
}

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store
  /** A second master's way into the same database; where there can be no second one, the same store. */
  readonly other: Store
  /** Closes both and opens the same database again. */
  reopen(): Promise<void>
}

/** What every store has to do, whatever database it is over. */
export function storeConformance(kind: StoreKind): void {
  describe(`the store over ${kind.name}`, () => {
    transitions(kind)
    events(kind)
    journal(kind)
    claims(kind)
    small(kind)
  })
}

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

function lost(store: Store, ...slaves: string[]): Promise<void> {
  return store.transition('lost', async (_, tell) => {
    for (const slave of slaves) tellLost(tell, slave)
  })
}

function tellLost(tell: Tell, slave: string): void {
  tell('slaveLost', { slave, reason: 'test' })
}

function names(some: readonly StoredEvent[]): string[] {
  return some.flatMap((one) => (one.name === 'slaveLost' ? [one.event.slave] : []))
}
