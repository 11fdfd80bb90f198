import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { createTestHost, type FiredEvent, statusSuite } from 'boltbot/plugin-sdk/testing'
import { myPlugin } from './index.ts'

test('the end of a build is told', async () => {
  const told: unknown[] = []
  await using server = await serve(200, told)
  await using host = createTestHost()
  await host.run(myPlugin({ url: server.url, builders: ['full'] }))

  await host.fire('buildFinished', finished('full'))
  await host.fire('buildFinished', finished('other'))

  assert.deepEqual(told, [{ builder: 'full', number: 3, result: 'failure' }])
})

test('a refusal is an error, so the event comes again', async () => {
  await using server = await serve(503, [])
  await using host = createTestHost()
  await host.run(myPlugin({ url: server.url }))

  await assert.rejects(host.fire('buildFinished', finished('full')), /answers 503/)
})

// Every event there is, outages, kills of the master, leaks.
statusSuite(test, {
  name: 'my-plugin',
  async make() {
    const told: unknown[] = []
    const server = await serve(200, told)
    return { ...server, plugin: () => myPlugin({ url: server.url }), told: () => told }
  },
})

const finished = (builder: string): FiredEvent<'buildFinished'> => ({
  build: 7,
  builder,
  number: 3,
  slave: 'bot',
  requests: [9],
  changes: [],
  blamelist: ['jane'],
  reason: 'a change',
  branch: 'main',
  revision: 'abc',
  result: 'failure',
  previousResult: 'success',
  text: ['failed', 'test'],
  startedAt: 0,
})

/** A server that keeps what it is sent. */
async function serve(status: number, told: unknown[]) {
  const server = createServer(async (request, response) => {
    told.push(await json(request))
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
