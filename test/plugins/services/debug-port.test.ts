import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CiError, secret } from 'boltbot/plugin-sdk'
import { createTestHost, type TestHost } from 'boltbot/plugin-sdk/testing'
import { debugPort } from 'boltbot/plugins/services/debug-port'
import type { Value } from '../../../wire/pb/values.ts'
import { reservePort } from '../../e2e/rig/ports.ts'
import { connectStatusClient } from '../status/pb-status-client.ts'

async function listen(over: Parameters<typeof createTestHost>[0] = {}): Promise<TestHost & { readonly port: number }> {
  const port = await reservePort()
  const host = createTestHost({ secrets: { debug: 'open sesame' }, ...over })
  await host.run(debugPort({ debugPassword: secret('debug'), port }))
  return Object.assign(host, { port })
}

const connectDebug = (port: number, password = 'open sesame') => connectStatusClient(port, 'debug', password)

test('a build, a change, a new config and a word on IRC can be asked for; each is logged with who asked', async () => {
  await using host = await listen()
  using client = await connectDebug(host.port)
  const { perspective } = client
  const asked = (await perspective.call('requestBuild', [
    ...['full', 'look', 'main', Buffer.from('r7')],
    new Map<Value, Value>([['colour', 'red']]),
  ])) as Map<Value, Value>
  assert.equal((asked.get('requests') as Value[]).length, 1)
  await perspective.call('requestBuild', [Buffer.from('full'), null, null, null])
  assert.deepEqual(host.records.forced, [
    {
      ...{ who: 'debug', reason: 'look (debug port)', builder: 'full', branch: 'main', revision: 'r7' },
      properties: { colour: 'red' },
    },
    {
      ...{ who: 'debug', reason: 'forced (debug port)', builder: 'full', branch: null, revision: null },
      properties: {},
    },
  ])
  await perspective.call('fakeChange', ['src/a.c', 17, 'jane', Buffer.from('main')])
  await perspective.call('fakeChange', ['src/b.c'])
  const fields = [
    ['who', 'joe'],
    ['files', ['a', 'b']],
    ['comments', 'both'],
  ] as const
  const change = await perspective.call('addChange', [new Map<Value, Value>(fields as never)])
  assert.equal((change as Map<Value, Value>).get('duplicate'), false)
  assert.deepEqual(
    host.records.changes.map(({ who, files, comments, branch, revision }) => [who, files, comments, branch, revision]),
    [
      ['jane', ['src/a.c'], 'some fake comments\n', 'main', '17'],
      ['fakeUser', ['src/b.c'], 'some fake comments\n', null, null],
      ['joe', ['a', 'b'], 'both', null, null],
    ],
  )
  assert.deepEqual(await perspective.call('reload'), [])
  assert.deepEqual(
    host.records.reconfigured.map(({ who, reason }) => [who, reason]),
    [['debug', 'reload (debug port)']],
  )
  await perspective.call('pokeIRC')
  assert.deepEqual(
    host.records.heard.map(({ text, speaker }) => [text, speaker]),
    [['poke', { name: 'debug', who: 'debug' }]],
  )
  assert.equal(host.records.chatPlaces.length, 0, 'the place is closed again')
  await perspective.call('print', ['hello there'])
  assert.equal(host.log.find('info', 'said on the debug port')[0]!.fields.text, 'hello there')
  const acts = host.log.find('info', 'asked on the debug port').map(({ fields: { act } }) => act)
  assert.deepEqual(acts, [
    ...['requestBuild', 'requestBuild', 'fakeChange', 'fakeChange', 'addChange', 'reload', 'pokeIRC'],
  ])
  assert.match(String(host.log.find('info', 'asked on the debug port')[0]!.fields.peer), /^127\.0\.0\.1:\d+$/)
})

test('what is refused is told and logged; what is obsolete says so', async () => {
  const refusal = new CiError({ code: 'BOLT_ACCESS_REFUSED', message: 'No builds on Fridays.', hint: 'Come again.' })
  await using host = await listen({
    override: {
      force: async () => {
        throw refusal
      },
    },
  })
  using client = await connectDebug(host.port)
  const { perspective } = client
  await assert.rejects(
    perspective.call('requestBuild', ['full', 'look', null, null]),
    /No builds on Fridays\. Come again\./,
  )
  await assert.rejects(perspective.call('setCurrentState', ['full', 'idle']), /cannot be set/)
  await assert.rejects(perspective.call('pingBuilder', ['none']), /There is no builder "none"/)
  await assert.rejects(perspective.call('shutdown', []), /no method "shutdown"/)
  const lines = host.log.find('warn', 'not done on the debug port')
  assert.deepEqual(lines.map(({ fields: { act, reason } }) => [act, reason]).slice(0, 1), [
    ['requestBuild', 'No builds on Fridays.'],
  ])
})

test('only who knows the password is let in; there is none without one', async () => {
  await using host = await listen()
  await assert.rejects(connectDebug(host.port, 'wrong'), /Unauthorized login/)
  await assert.rejects(connectStatusClient(host.port, 'admin', 'open sesame'), /Unauthorized login/)
  assert.equal(host.log.find('warn', 'login refused').length, 2)
  for (const wrong of [{}, { debugPassword: '' }, { debugPassword: 'x', port: 'ssh:1' }])
    await assert.rejects(async () => {
      await using other = createTestHost()
      await other.run(debugPort(wrong as never))
    })
})
