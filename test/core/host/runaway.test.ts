import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Host, hasCode } from 'boltbot/plugin-sdk'
import { createPluginHostRig, spec, tapping } from '../../rig/plugin-host-rig.ts'

const change = { who: 'flood', files: [], comments: 'again' }

test('a tap that keeps the event loop to itself is named and its plugin suspended; a little is a warning', async () => {
  const rig = createPluginHostRig({ blockMs: 300 })
  const spin = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end; );
  }
  const spinning = (id: string, ms: number) => tapping(id, 'buildFinished', () => spin(ms))
  await rig.host.start([spinning('slow', 100), spinning('stuck', 350), tapping('fine', 'buildFinished', () => {})])
  rig.commit('buildFinished')
  await rig.clock.settle()
  assert.deepEqual(
    rig.host.status().map(({ suspended }) => suspended),
    [false, true, false],
  )
  const [line] = rig.log.find('error', 'plugin suspended')
  assert.equal(line!.fields.plugin, 'stuck')
  assert.match(String(line!.fields.reason), /"stuck" on buildFinished kept the whole master waiting for 0\.\d s/)
  assert.equal(rig.log.find('warn', 'tap kept the master waiting')[0]!.fields.plugin, 'slow')
  await rig.host.stop()
})

test('a tap that takes half a gigabyte at one go is named and its plugin suspended', async () => {
  const rig = createPluginHostRig()
  const kept: Buffer[] = []
  await rig.host.start([
    tapping('leaky', 'buildFinished', () => {
      for (let i = 0; i < 500; i++) kept.push(Buffer.allocUnsafe(1024 * 1024))
    }),
  ])
  rig.commit('buildFinished')
  await rig.clock.settle()
  assert.equal(kept.length, 500)
  assert.match(
    String(rig.log.find('error', 'plugin suspended')[0]?.fields.reason),
    /"leaky" on buildFinished took (4[89]\d|50\d) MB/,
  )
  await rig.host.stop()
})

test('a durable plugin that is suspended loses no event: it goes on at the same one when it is resumed', async () => {
  const rig = createPluginHostRig({ blockMs: 50 })
  const told: number[] = []
  const durable = spec('durable', {
    durable: true,
    apply: (host: Host) =>
      host.tap('buildFinished', ({ eventId }) => {
        told.push(eventId)
        if (eventId === 1) for (const end = performance.now() + 60; performance.now() < end; );
      }),
  })
  await rig.host.start([durable])
  for (let i = 0; i < 3; i++) rig.commit('buildFinished')
  await rig.clock.settle()
  assert.deepEqual(told, [1])
  assert.equal(rig.host.status()[0]!.suspended, true)
  rig.host.resume('durable')
  await rig.clock.settle()
  assert.deepEqual(told, [1, 2, 3])
  assert.equal(rig.cursors.get('durable'), 3)
  rig.host.status()
  await rig.host.stop()
})

test('a suspended durable plugin does not keep the master from stopping', async () => {
  const rig = createPluginHostRig({ blockMs: 50 })
  const durable = spec('durable', {
    durable: true,
    apply: (host: Host) =>
      host.tap('buildFinished', () => {
        for (const end = performance.now() + 60; performance.now() < end; );
      }),
  })
  await rig.host.start([durable])
  for (let i = 0; i < 3; i++) rig.commit('buildFinished')
  await rig.clock.settle()
  await rig.host.stop()
  assert.equal(rig.cursors.get('durable'), 1)
  assert.deepEqual(rig.clock.pending(), [])
})

test('changes without end are refused with a code, and their plugin is suspended; ten minutes later it may again', async () => {
  const rig = createPluginHostRig()
  let host!: Host
  await rig.host.start([spec('flood', { apply: (given: Host) => void (host = given) })])
  for (let i = 0; i < 20_000; i++) await host.submitChange(change)
  await assert.rejects(
    host.submitChange(change),
    (error) => hasCode(error, 'BOLT_HOST_FLOOD') && /20000 changes in 10m/.test(error.message),
  )
  for (let i = 1; i < 20; i++) await assert.rejects(host.submitChange(change), { code: 'BOLT_HOST_FLOOD' })
  await assert.rejects(host.submitChange(change), { code: 'BOLT_HOST_SUSPENDED' })
  assert.equal(rig.host.status()[0]!.suspended, true)
  rig.host.resume('flood')
  await rig.clock.advance('10m')
  await host.submitChange(change)
  await rig.host.stop()
})
