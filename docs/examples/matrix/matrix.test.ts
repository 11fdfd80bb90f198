import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { secret } from 'boltbot/plugin-sdk'
import { statusSuite, until, withRig } from 'boltbot/plugin-sdk/testing'
import config from './master.cfg.ts'
import { matrix } from './matrix.ts'

const options = { room: '!abc:example.org', token: secret('matrix') }

statusSuite(test, {
  name: 'matrix',
  secrets: { matrix: 'open sesame' },
  async make() {
    const server = await homeserver()
    return { ...server, plugin: () => matrix({ ...options, homeserver: server.url }) }
  },
})

test('the config of the example says what it tells, and where', async () => {
  await using server = await homeserver()
  const status = [matrix({ ...options, homeserver: server.url })]
  const rig = { config: { ...config, options: { ...config.options, status } }, secrets: { matrix: 'open sesame' } }
  await withRig({ ...rig, slaves: { here: [{ result: 1, times: 1 }] } }, async (rig) => {
    for (let i = 0; i < 3; i++) await rig.force('full')
    for (const result of ['failure', 'success', 'success'] as const) await rig.until.build('full', result)
    await until(() => server.told().length === 2, { what: 'a failure and a recovery to be told' })
    assert.deepEqual(server.paths, [...new Set(server.paths)], 'a transaction each')
    assert.ok(server.paths.every((path) => path.startsWith('/_matrix/client/v3/rooms/!abc%3Aexample.org/send/')))
    assert.match(JSON.stringify(server.told()), /full #0: failure after .*full #1: success after /)
  })
})

/** A server that takes what has the token. */
async function homeserver() {
  const told: unknown[] = []
  const paths: string[] = []
  let broken = false
  const server = createServer(async (request, response) => {
    const message = await json(request)
    if (broken || request.headers.authorization !== 'Bearer open sesame') return void response.writeHead(502).end('{}')
    if (!paths.includes(request.url ?? '')) told.push(message) // a transaction is one message
    paths.push(request.url ?? '')
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    paths,
    told: () => told,
    breakOutside: (now: boolean) => void (broken = now),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
