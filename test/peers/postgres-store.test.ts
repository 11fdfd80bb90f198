import { after, before, describe } from 'node:test'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { openPostgresStore } from '../../core/store/postgres/open.ts'
import { storeConformance } from '../conformance/store.ts'
import type { StoreUnderTest } from '../conformance/store-kind.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './postgres/server.ts'

describe('a store in PostgreSQL', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server[Symbol.asyncDispose]())

  storeConformance({ name: 'PostgreSQL', open: () => openBoth(server) })
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
