import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, type Host, secret, slave } from 'boltbot/plugin-sdk'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { pbListener } from 'boltbot/plugins/status/pb-listener'
import { itemsOf } from '../../../wire/pb/plain.ts'
import type { RemoteReference, Value } from '../../../wire/pb/values.ts'
import { reservePort } from '../../e2e/rig/ports.ts'
import { commit, each, sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'
import { connectStatusClient, type PbStatusClient } from './pb-status-client.ts'

/** A plugin that asks for builds as `try` does. */
const asker: { host?: Host } = {}
const asks = definePlugin({
  name: 'test/asks',
  kind: 'service',
  needs: ['buildsets'],
  apply: (host) => void (asker.host = host),
})

const config = (port: number): RigOptions => ({
  slaves: [slave({ name: 'bot', password: 'x' })],
  builders: [
    builder({
      name: 'full',
      slaves: ['bot'],
      category: 'active',
      factory: buildFactory([sh({ name: 'make', command: 'make' }), sh({ name: 'check', command: 'check' })]),
    }),
    builder({ name: 'docs', slaves: ['bot'], factory: buildFactory([sh({ name: 'make', command: 'make' })]) }),
  ],
  schedulers: [each({ builders: ['full'] })],
  status: [pbListener({ port, user: 'looker', password: 'open sesame' })],
  plugins: [asks()],
})

const answers = [
  { match: 'make', hang: true, output: 'one\ngrün\n' },
  { match: 'check', result: 1 },
]

async function world(): Promise<AsyncDisposable & { readonly rig: Rig; readonly port: number }> {
  const port = await reservePort()
  const rig = await createRig(config(port))
  return { rig, port, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() }
}

const seen = (client: PbStatusClient, what: string | RegExp) =>
  until(() => client.told.find((one) => (typeof what === 'string' ? one === what : what.test(one))), {
    what: `the client to be told ${what}`,
    seen: () => client.told.join('\n'),
  })

test('each mode is told what those before it are, and more', async () => {
  await using given = await world()
  const { rig, port } = given
  const modes = ['builders', 'builds', 'steps', 'logs', 'full']
  using stack = new DisposableStack()
  const clients: PbStatusClient[] = []
  for (const mode of modes) {
    const client = stack.use(await connectStatusClient(port, 'looker', 'open sesame'))
    await client.perspective.call('subscribe', [mode, 5, client.target])
    await seen(client, 'builderAdded docs')
    clients.push(client)
  }
  const bot = await rig.slave('bot', answers)
  await seen(clients[1]!, 'builderChangedState full idle null')
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  await rig.clock.advance(1000) // logs are told of a few times a second
  await seen(clients[4]!, /^logChunk.*grün/s)
  bot.finish()
  await rig.settle()
  for (const client of clients.slice(1)) await seen(client, 'buildFinished full 2')
  for (const client of clients.slice(1)) await seen(client, 'builderChangedState full idle null')
  assert.deepEqual(clients[0]!.told, ['builderAdded full', 'builderAdded docs'])
  const without = (client: PbStatusClient, ...events: readonly string[]) =>
    client.told.filter((one) => !/^builderChanged/.test(one) && !events.includes(one.split(' ')[0]!))
  const builds = ['builderAdded full', 'builderAdded docs', 'buildStarted full', 'buildFinished full 2']
  assert.deepEqual(without(clients[1]!), builds)
  const steps = [
    'stepStarted full make',
    'stepFinished full make 0',
    'stepStarted full check',
    'stepFinished full check 2',
  ]
  assert.deepEqual(without(clients[2]!), builds.toSpliced(3, 0, ...steps))
  const logs = without(clients[3]!, 'stepETAUpdate').filter((one) => /^log|^step/.test(one))
  assert.deepEqual(logs, [
    ...[
      'stepStarted full make',
      'logStarted full make stdio',
      'logFinished full make stdio',
      'stepFinished full make 0',
    ],
    ...['stepStarted full check', 'stepFinished full check 2'],
  ])
  const chunks = clients[4]!.told.filter((one) => one.startsWith('logChunk full make stdio'))
  assert.equal(
    chunks.find((one) => one.includes('grün')),
    'logChunk full make stdio 0 one\ngrün\n',
  )
  const told = clients[4]!.told
  assert.ok(told.indexOf(chunks.at(-1)!) < told.indexOf('logFinished full make stdio'), told.join('\n'))
})

test('the tree answers for builders, builds, steps and logs, of today and of the past', async () => {
  await using given = await world()
  const { rig, port } = given
  using client = await connectStatusClient(port, 'looker', 'open sesame')
  const { perspective, ask } = client
  assert.equal(await perspective.call('ping'), 'pong')
  assert.deepEqual(await perspective.call('getBuilderNames'), ['full', 'docs'])
  const full = await perspective.call('getBuilder', ['full'])
  assert.deepEqual(await ask(full, 'getName', 'getCategory', 'getLastFinishedBuild'), ['full', 'active', null])
  assert.deepEqual(itemsOf((await ask(full, 'getState'))[0]), ['offline', null, []])
  await assert.rejects(perspective.call('getBuilder', ['none']), /There is no builder "none"/)
  await assert.rejects(perspective.call('getSlave', ['none']), /There is no slave "none"/)

  const bot = await rig.slave('bot', answers)
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  const [state, , running] = itemsOf((await ask(full, 'getState'))[0])
  assert.equal(state, 'building')
  const build = itemsOf(running)[0] as RemoteReference
  assert.deepEqual((await ask(full, 'getCurrentBuilds'))[0], [build], 'the same object each time')
  assert.deepEqual(await ask(build, 'getBuilderName', 'getNumber', 'isFinished', 'getResults'), [
    'full',
    0,
    false,
    null,
  ])
  const ended = build.call('waitUntilFinished')
  const [change] = itemsOf((await ask(build, 'getChanges'))[0])
  assert.deepEqual((await ask(change!, 'getFiles', 'getComments')).length, 2)
  const [step] = await ask(build, 'getCurrentStep')
  assert.deepEqual(await ask(step!, 'getName', 'isFinished', 'getETA', 'getExpectations'), ['make', false, null, []])
  const stepEnded = (step as RemoteReference).call('waitUntilFinished')
  bot.finish()
  await rig.settle()
  assert.equal(await ended, build)
  assert.equal(await stepEnded, step)
  assert.equal(await build.call('waitUntilFinished'), build, 'at once when it has ended')
  assert.deepEqual(await ask(build, 'isFinished', 'getResults', 'getColor', 'getText'), [
    true,
    2,
    'red',
    ['failed', 'check'],
  ])
  const [began, finished] = itemsOf((await ask(build, 'getTimes'))[0])
  assert.ok(typeof began === 'number' && typeof finished === 'number' && finished >= began)
  const logs = (await ask(step!, 'getLogs'))[0] as Map<Value, RemoteReference>
  const stdio = logs.get('stdio')!
  assert.deepEqual(await ask(stdio, 'getName', 'isFinished', 'getText'), ['stdio', true, 'one\ngrün\n'])
  assert.match(String((await ask(stdio, 'getTextWithHeaders'))[0]), /one\ngrün\n/)
  const chunks = itemsOf((await ask(stdio, 'getChunks'))[0]).map(itemsOf)
  assert.ok(chunks.some(([channel, text]) => channel === 0 && text === 'one\ngrün\n'))
  for (const number of [0, -1]) assert.equal(await (full as RemoteReference).call('getBuild', [number]), build)
  for (const number of [7, -2, 1.5, 'x']) assert.equal(await (full as RemoteReference).call('getBuild', [number]), null)
  assert.deepEqual((await ask(full, 'getLastFinishedBuild'))[0], build)
  const [name] = itemsOf((await ask(full, 'getSlaves'))[0])
  assert.deepEqual(await ask(name!, 'getName', 'isConnected'), ['bot', true])
})

test('buildsets are found by the name they were given, and followed to their ends', async () => {
  await using given = await world()
  const { rig, port } = given
  using client = await connectStatusClient(port, 'looker', 'open sesame')
  const { perspective, ask } = client
  const submit = (externalId: string) =>
    asker.host!.submitBuildset({ builders: ['docs'], reason: 'try', externalId, merge: false })
  const first = await submit('job-1')
  await submit('job-2')
  const sets = itemsOf(await perspective.call('getBuildSets')).map(itemsOf)
  assert.deepEqual(
    sets.map(([, id]) => id),
    ['job-1', 'job-2'],
  )
  const [one, two] = sets.map(([set]) => set as RemoteReference)
  assert.deepEqual(await ask(one!, 'getID', 'getReason', 'isFinished'), ['job-1', 'try', false])
  const requests = await Promise.all(
    [one!, two!].map(async (set) => itemsOf(itemsOf((await ask(set, 'getBuildRequests'))[0])[0])),
  )
  assert.deepEqual(
    requests.map(([name]) => name),
    ['docs', 'docs'],
  )
  for (const [, request] of requests) await (request as RemoteReference).call('subscribe', [client.target])
  const ended = one!.call('waitUntilFinished')
  await rig.master.cancel({ request: first.requests[0]!, who: 'joe', reason: 'enough' }, 'test')
  await rig.settle()
  await seen(client, 'newbuild docs')
  assert.equal(await ended, one)
  assert.deepEqual(await ask(one!, 'isFinished', 'getResults'), [true, 6])
  const cancelled = [...client.objects.values()].at(-1)!
  assert.deepEqual(await ask(cancelled, 'getResults', 'getText'), [6, ['cancelled before it began']])
  const bot = await rig.slave('bot', answers)
  await rig.settle()
  await until(() => client.told.length === 2, { what: 'the build of the second' })
  const build = [...client.objects.values()].at(-1)!
  await build.call('subscribe', [client.target, 20])
  bot.finish()
  await rig.settle()
  await seen(client, 'stepFinished docs make null 0')
  assert.deepEqual(await ask(build, 'getResults'), [0])
})

test('estimates are told again and again, until the build has ended', async () => {
  await using given = await world()
  const { rig, port } = given
  const bot = await rig.slave('bot', answers)
  await rig.master.force({ builder: 'docs', who: 'joe', reason: 'learn' }, 'test')
  await rig.settle()
  await rig.clock.advance(60_000)
  bot.finish()
  await rig.settle()
  using client = await connectStatusClient(port, 'looker', 'open sesame')
  await client.perspective.call('subscribe', ['logs', 10, client.target])
  await seen(client, 'builderAdded docs')
  await rig.master.force({ builder: 'docs', who: 'joe', reason: 'again' }, 'test')
  await rig.settle()
  await seen(client, /^buildETAUpdate docs (60|59)/)
  await rig.clock.advance(20_000)
  await seen(client, /^buildETAUpdate docs (40|39)/)
  await seen(client, /^stepETAUpdate docs make (40|39)/)
  bot.finish()
  await rig.settle()
  await seen(client, 'buildFinished docs 0')
  const before = client.told.length
  await rig.clock.advance(60_000)
  await client.perspective.call('ping')
  assert.equal(client.told.length, before)
})

test('builders that come and go are told; after unsubscribe nothing is', async () => {
  await using given = await world()
  const { rig, port } = given
  using client = await connectStatusClient(port, 'looker', 'open sesame')
  await client.perspective.call('subscribe', ['builds', 0, client.target])
  await seen(client, 'builderAdded docs')
  const base = config(port)
  const [full, docs] = base.builders!
  await rig.reconfigure({ ...base, builders: [full!] })
  await seen(client, 'builderRemoved docs')
  await client.perspective.call('unsubscribe')
  const before = client.told.length
  await rig.reconfigure({ ...base, builders: [full!, docs!] })
  await rig.settle()
  await client.perspective.call('ping')
  assert.equal(client.told.length, before)
})

test('a client that vanishes, and one that asks for nonsense, leave nothing behind', async () => {
  await using given = await world()
  const { rig, port } = given
  {
    using gone = await connectStatusClient(port, 'looker', 'open sesame')
    await gone.perspective.call('subscribe', ['full', 1, gone.target])
    await seen(gone, 'builderAdded docs')
    using odd = await connectStatusClient(port, 'looker', 'open sesame')
    await assert.rejects(odd.perspective.call('subscribe', ['everything', 5, odd.target]), /none of builders, builds/)
    await assert.rejects(odd.perspective.call('subscribe', ['full', 5, 'me']), /nothing to tell it to/)
    await assert.rejects(odd.perspective.call('force', ['full']), /no method "force"/)
  }
  const bot = await rig.slave('bot', answers)
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  bot.finish()
  await rig.settle()
  assert.equal((await rig.build('full', 0)).result, 'failure')
  await until(() => rig.log.find('info', 'status client gone').length === 2, { what: 'both to be missed' })
  assert.deepEqual(rig.log.find('error'), [])
})

test('a wrong password and another user are not let in', async () => {
  await using given = await world()
  for (const [user, password] of [
    ['looker', 'wrong'],
    ['statusClient', 'clientpw'],
  ] as const)
    await assert.rejects(connectStatusClient(given.port, user, password), /Unauthorized login/)
  assert.equal(given.rig.log.find('warn', 'login refused').length, 2)
})

test('the password may be a secret; without one, or with no port, the config is refused', async () => {
  const port = await reservePort()
  await using host = createTestHost({ secrets: { status: 'from a file' } })
  await host.run(pbListener({ port, password: secret('status') }))
  using client = await connectStatusClient(port, 'statusClient', 'from a file')
  assert.equal(await client.perspective.call('ping'), 'pong')
  for (const wrong of [{ port }, { port: 'udp:1', password: 'x' }, { port, password: 'x', user: '' }])
    await assert.rejects(async () => {
      await using other = createTestHost()
      await other.run(pbListener(wrong as never))
    })
})
