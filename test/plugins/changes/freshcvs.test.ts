import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { type FreshCvsOptions, freshCvs } from 'boltbot/plugins/changes/freshcvs'
import { type Broker, createBroker } from '../../../wire/pb/broker.ts'
import { createLoginRoot } from '../../../wire/pb/login.ts'
import { Opaque, Referenceable, type RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'

/** What needs no real daemon: test/peers/freshcvs.test.ts has one, on Twisted. */

async function listen(respond = true) {
  const sockets: Socket[] = []
  const minds: RemoteReference[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    const broker: Broker = createBroker({
      role: 'server',
      root: createLoginRoot({
        challenge: () => randomBytes(16),
        password: (user) => (user === 'foo' ? 'bar' : undefined),
        enter: async (_, mind) => {
          broker.trust()
          minds.push(mind!)
          return new Referenceable({})
        },
        refused: () => {},
        tooMany: () => false,
        release: () => {},
      }),
      send: (bytes) => void (respond && socket.write(bytes)),
      broken: () => socket.destroy(),
      trouble: () => {},
    })
    socket.on('data', (bytes: Buffer) => broker.receive(bytes))
    socket.on('error', () => {})
    socket.on('close', () => broker.lost(new Error('gone')))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    minds,
    sockets,
    plugin: (options: Partial<FreshCvsOptions> = {}) =>
      freshCvs({ host: '127.0.0.1', port, user: 'foo', password: 'bar', ...options }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const file = (folder: string, name: string, kind = 'cvstoys.common.VersionedPatch') => {
  const pair = (key: string, value: string) => [key, value].map((text) => ['unicode', text])
  return new Opaque(kind, [['dictionary', pair('pathname', folder), pair('filename', name)]])
}
const notify = (mind: RemoteReference, ...[message, files, user]: [Value, Value, Value]) =>
  mind.call('notify', ['/cvsroot', files, message, user])

test('what a daemon sends comes out as a change, whatever is odd about it', async () => {
  await using daemon = await listen()
  await using host = createTestHost()
  await host.run(daemon.plugin({ prefix: '/hello/', branch: 'HEAD', codebase: 'c', repository: 'r' }))
  await host.poll()
  const mind = daemon.minds[0]!
  await notify(mind, ['one', 'two', ''], new Tuple([file('hello/', 'a'), file('hello', 'a'), file('', 'top')]), null)
  await notify(mind, null, [file('hello', 'b'), 'hello/c', null, new Map()], ' jane ')
  await notify(mind, 'nothing', null, 'jane')
  await notify(mind, 'of a class of its own', [file('hello', 'd', 'site.Patch')], 'jane')
  assert.deepEqual(
    host.records.changes.map(({ who, files, comments, branch, codebase, repository }) => [
      who,
      files,
      comments,
      [branch, codebase, repository].join(),
    ]),
    [
      ['unknown', ['a'], 'one\ntwo', 'HEAD,c,r'],
      ['jane', ['b'], '', 'HEAD,c,r'],
      ['jane', ['d'], 'of a class of its own', 'HEAD,c,r'],
    ],
  )
  assert.equal(host.log.find('debug', 'notification ignored, it names no file that counts').length, 1)
})

test('a daemon that takes the connection and says nothing is given up', async () => {
  await using daemon = await listen(false)
  await using host = createTestHost()
  await host.run(daemon.plugin())
  const poll = assert.rejects(host.poll(), { code: 'BOLT_FRESHCVS_LOST', message: /gave no answer within 30 s/ })
  await until(() => daemon.sockets.length === 1, { what: 'the connection' })
  await until(
    async () => {
      await host.clock.advance('30s')
      return host.log.find('warn').length > 0
    },
    { what: 'the end of patience' },
  )
  await poll
  await host.stop()
  assert.deepEqual(host.leaks(), [])
})

test('options that cannot be meant are refused in words', async () => {
  const base = { host: 'h', user: 'u', password: 'p' }
  const problems = (options: object) => {
    const checked = freshCvs({ ...base, ...options }).definition.schema?.['~standard'].validate({ ...base, ...options })
    return checked && 'issues' in checked ? (checked.issues ?? []).map(({ message }) => message) : []
  }
  assert.deepEqual(problems({}), [])
  assert.deepEqual(problems({ port: 0 }), ['Give 1 to 65535.'])
  assert.deepEqual(problems({ login: 'newer' }), ["Give 'new', or 'old' for CVSToys 1.0.9 and earlier."])
  assert.deepEqual(problems({ password: '' }), ["Give a password, best as secret('name')."])
  assert.deepEqual(problems({ keepalive: '10ms' }), ["Give seconds, or text such as '30s' or '5m'."])
})
