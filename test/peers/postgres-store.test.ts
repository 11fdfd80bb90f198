import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type CiError, hasCode } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { sql } from 'kysely'
import { createClock } from '../../core/clock.ts'
import { advanceCursor, readCursor } from '../../core/store/journal.ts'
import { MIGRATIONS } from '../../core/store/migrate.ts'
import { inspectPostgres } from '../../core/store/postgres/inspect.ts'
import { openPostgresStore } from '../../core/store/postgres/open.ts'
import type { Store } from '../../core/store/store.ts'
import { storeConformance } from '../conformance/store.ts'
import { lost, names, type StoreUnderTest } from '../conformance/store-kind.ts'
import { startProxy } from './postgres/proxy.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './postgres/server.ts'

describe('a store in PostgreSQL', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server[Symbol.asyncDispose]())

  storeConformance({ name: 'PostgreSQL', open: () => openBoth(server) })

  describe('while its database goes away', () => {
    for (const when of ['before', 'after'] as const)
      it(`runs a transaction once whose connection is cut ${when} its commit`, async () => {
        await using wire = await startProxy(await server.database())
        await using rig = await openOne({ url: wire.url })
        await count(rig.store)
        wire.cutAt('commit', when)
        await Promise.all([count(rig.store), count(rig.store), lost(rig.store, 'bot-1')])
        await count(rig.store)
        assert.equal(wire.cuts, 1)
        assert.equal(await counted(rig.store), 4)
        assert.deepEqual(names(rig.told), ['bot-1'])
        assert.equal(rig.log.find('warn', 'the database went away').length, 1)
        assert.equal(rig.log.find('info', 'the database is back').length, 1)
      })

    it('counts each transition once, wherever in it the connection is cut', async () => {
      await using wire = await startProxy(await server.database())
      await using rig = await openOne({ url: wire.url })
      let asked = 0
      // "counter" goes with the queries of the body.
      for (const said of ['begin', 'savepoint one', 'counter', 'release one', 'commit'])
        for (const when of ['before', 'after'] as const) {
          wire.cutAt(said, when)
          await Promise.all([count(rig.store), count(rig.store)])
          asked += 2
          assert.equal(wire.cuts, asked / 2, `cut ${when} "${said}"`)
          assert.equal(await counted(rig.store), asked, `after a cut ${when} "${said}"`)
        }
    })

    it('goes on at once although the server still believes in the lost connection and its locks', async () => {
      await using wire = await startProxy(await server.database())
      await using rig = await openOne({ url: wire.url })
      await count(rig.store)
      wire.orphan()
      await count(rig.store)
      assert.equal(await counted(rig.store), 2)
      assert.deepEqual(rig.log.find('warn', 'the database stays away'), [])
    })

    it('goes on when the server was killed and is started again; readers wait as well', async () => {
      await using rig = await openOne({ url: await server.database() })
      await count(rig.store)
      await server.kill()
      const writing = count(rig.store)
      const reading = counted(rig.store)
      await server.start()
      await writing
      assert.ok((await reading) >= 1)
      assert.equal(await counted(rig.store), 2)
    })

    it('refuses what waits when it is closed meanwhile', async () => {
      const wire = await startProxy(await server.database())
      const { store } = await openOne({ url: wire.url })
      await wire[Symbol.asyncDispose]()
      const writing = assert.rejects(count(store), (error) => hasCode(error, 'BOLT_STORE_UNREACHABLE'))
      await store.close()
      await writing
    })
  })

  describe('is refused', () => {
    it('where nobody listens, for unknown people and databases, each with one sentence', async () => {
      const url = new URL(await server.database())
      const elsewhere = (change: (at: URL) => void) => {
        const at = new URL(url)
        change(at)
        return at.href
      }
      await refused(
        elsewhere((at) => (at.port = '1')),
        'BOLT_STORE_UNREACHABLE',
        /^The database "postgres:\/\/ci@127.0.0.1:1\/t\d+" cannot be reached \(connect ECONNREFUSED 127.0.0.1:1\): check that it runs/,
      )
      await refused(
        elsewhere((at) => (at.username = 'nobody')),
        'BOLT_STORE_REFUSED',
        /\(role "nobody" does not exist\)/,
      )
      await refused(
        elsewhere((at) => (at.pathname = '/none')),
        'BOLT_STORE_REFUSED',
        /\(database "none" does not exist\)/,
      )
      await refused(`${url.href}?options=-csearch_path%3Dnone`, 'BOLT_STORE_REFUSED', /search path/)
    })

    it('with a wrong password, which nobody gets to see; whatever letters the right one has', async () => {
      const url = new URL(await server.database())
      const password = 'ü 50%25:/@#?'
      await server.sql(url.href, `create role locked login superuser password '${password}'`)
      url.username = 'locked'
      await (await openOne({ url: url.href }, password)).store.close()
      await refused(url.href, 'BOLT_STORE_REFUSED', /^(?!.*hunter2).*\(password authentication failed/, 'hunter2')
      await refused(url.href, 'BOLT_STORE_UNREACHABLE', /password must be a string/)
    })

    it('to who may not make tables', async () => {
      const url = new URL(await server.database())
      await server.sql(url.href, 'create role guest login; revoke create on schema public from public')
      url.username = 'guest'
      await refused(url.href, 'BOLT_STORE_REFUSED', /permission denied for schema public/)
      assert.equal((await inspectPostgres({ url: url.href, password: null })).mayMakeTables, false)
    })

    it('while another master has it, for the database of another program, and for a newer schema', async () => {
      const url = await server.database()
      const rig = await openOne({ url })
      await refused(url, 'BOLT_STORE_LOCKED', /in use by another process/)
      await rig.store.close()
      await server.sql(url, "update meta set value = '99' where key = 'schema'")
      await refused(url, 'BOLT_STORE_NEWER', new RegExp(`version "99".*only up to ${MIGRATIONS.length}`))
      const foreign = await server.database()
      await server.sql(foreign, 'create table songs (title text)')
      await refused(foreign, 'BOLT_STORE_UNREADABLE', /another program/)
    })
  })

  it('keeps the stores of two masters apart by their schemas', async () => {
    const url = await server.database()
    await server.sql(url, 'create schema one; create schema two')
    await using first = await openOne({ url: `${url}?options=-csearch_path%3Done` })
    await using second = await openOne({ url: `${url}?options=-csearch_path%3Dtwo` })
    await count(first.store)
    assert.deepEqual([await counted(first.store), await counted(second.store)], [1, 0])
  })

  it('only reads where nothing may be written', async () => {
    await using rig = await openOne({ url: await server.database() })
    const { db } = rig.store
    await assert.rejects(db.deleteFrom('meta').execute(), (error) => hasCode(error, 'BOLT_STORE_READ_ONLY'))
    await assert.rejects(sql`delete from meta`.execute(db), /read-only transaction/)
  })

  it('keeps every letter but NUL', async () => {
    await using rig = await openOne({ url: await server.database() })
    const value = 'ü ß 𝄞 "\'\\ %s \u0001\0.'
    await rig.store.transition('put', async (trx) => {
      await trx.insertInto('meta').values({ key: 'text', value }).execute()
    })
    const row = await rig.store.db.selectFrom('meta').select('value').where('key', '=', 'text').executeTakeFirst()
    assert.equal(row?.value, value.replace('\0', '\uFFFD'))
  })

  it('keeps a time that was reckoned to a fraction as whole milliseconds', async () => {
    await using rig = await openOne({ url: await server.database() })
    await advanceCursor(rig.store, 'mail', 1234.56)
    assert.equal(await readCursor(rig.store, 'mail'), 1235)
  })

  it('tells the doctor what it is', async () => {
    const url = await server.database()
    const empty = await inspectPostgres({ url, password: null })
    assert.deepEqual([empty.schema, empty.lastEvent, empty.mayMakeTables], [null, null, true])
    await using rig = await openOne({ url })
    await lost(rig.store, 'bot-1')
    const { schema, lastEvent, bytes, version } = await inspectPostgres({ url, password: null })
    assert.equal(schema, MIGRATIONS.length)
    assert.equal(lastEvent, rig.told[0]?.event.at)
    assert.ok(bytes > 0)
    assert.match(version, /^\d+/)
  })
})

/** Two masters over one database. */
async function openBoth(server: PostgresServer): Promise<StoreUnderTest> {
  const url = await server.database()
  const clock = createFakeClock()
  const open = () => openPostgresStore({ place: { url, password: null }, clock, log: createMemoryLog(), shared: true })
  let store = await open()
  let other = await open()
  const close = async () => {
    await store.close()
    await other.close()
  }
  return {
    get store() {
      return store
    },
    get other() {
      return other
    },
    async reopen() {
      await close()
      store = await open()
      other = await open()
    },
    [Symbol.asyncDispose]: close,
  }
}

/** One master, with a clock that goes. */
async function openOne({ url }: { readonly url: string }, password: string | null = null) {
  const log = createMemoryLog()
  const store = await openPostgresStore({ place: { url, password }, clock: createClock(log), log })
  const told: Parameters<Parameters<Store['onEvents']>[0]>[0][number][] = []
  store.onEvents((some) => told.push(...some))
  return { store, log, told, [Symbol.asyncDispose]: () => store.close() }
}

async function refused(url: string, code: string, message: RegExp, password?: string): Promise<void> {
  await assert.rejects(openOne({ url }, password), (error: CiError) => {
    assert.ok(hasCode(error, code), String(error))
    assert.match(error.message, message)
    return true
  })
}

function count(store: Store): Promise<void> {
  return store.transition('count', async (trx) => {
    const row = await trx.selectFrom('cursors').select('event_id').where('plugin', '=', 'counter').executeTakeFirst()
    const next = { event_id: (row?.event_id ?? 0) + 1 }
    await trx
      .insertInto('cursors')
      .values({ plugin: 'counter', ...next })
      .onConflict((conflict) => conflict.column('plugin').doUpdateSet(next))
      .execute()
  })
}

async function counted(store: Store): Promise<number> {
  const row = await store.db.selectFrom('cursors').select('event_id').where('plugin', '=', 'counter').executeTakeFirst()
  return row?.event_id ?? 0
}
