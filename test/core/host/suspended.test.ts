import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CiError, type Host } from 'boltbot/plugin-sdk'
import { createPluginHostRig, spec, tapping } from '../../rig/plugin-host-rig.ts'

const failing = () => {
  throw new Error('not today')
}

test('what a plugin was not told when it was suspended is said once, with the number', async () => {
  const rig = createPluginHostRig()
  await rig.host.start([tapping('noise', 'buildFinished', failing)])
  for (let i = 0; i < 1000; i++) rig.commit('buildFinished')
  await rig.clock.settle()
  assert.equal(rig.log.find('error', 'tap failed').length, 20)
  const [line, ...more] = rig.log.find('error', 'plugin suspended')
  assert.deepEqual([line!.fields.plugin, line!.fields.untold, more], ['noise', 980, []])
  assert.equal(rig.host.status()[0]!.dropped, 980)
  await rig.host.stop()
})

test('what comes while it is suspended is counted, and said when it is resumed or stopped', async () => {
  const rig = createPluginHostRig()
  const told: number[] = []
  let isMended = false
  await rig.host.start([
    tapping('noise', 'buildFinished', ({ eventId }) => {
      if (!isMended) failing()
      told.push(eventId)
    }),
  ])
  const commit = async (count: number) => {
    for (let i = 0; i < count; i++) rig.commit('buildFinished')
    await rig.clock.settle()
  }
  const missed = () => rig.log.find('warn', 'plugin was not told of events while it was suspended')
  await commit(20)
  await commit(500)
  assert.deepEqual([rig.host.status()[0]!.suspended, rig.host.status()[0]!.dropped, missed()], [true, 500, []])
  isMended = true
  rig.host.resume('noise')
  assert.deepEqual(
    missed().map(({ fields }) => [fields.plugin, fields.untold]),
    [['noise', 500]],
  )
  await commit(1)
  assert.deepEqual(told, [521])
  rig.host.resume('noise')
  assert.equal(missed().length, 1, 'nothing new to say')

  isMended = false
  await commit(20)
  await commit(7)
  await rig.host.stop()
  assert.deepEqual(
    missed().map(({ fields }) => fields.untold),
    [500, 7],
  )
})

test('a plugin that fails at its stop is suspended as well: the rest of its mailbox is not tried one by one', async () => {
  const rig = createPluginHostRig()
  const release = Promise.withResolvers<void>()
  await rig.host.start([
    tapping('noise', 'buildFinished', async () => {
      await release.promise
      failing()
    }),
  ])
  for (let i = 0; i < 1000; i++) rig.commit('buildFinished')
  const stopped = rig.host.stop()
  release.resolve()
  await stopped
  assert.equal(rig.log.find('error', 'tap failed').length, 20)
  assert.deepEqual(
    rig.log.find('error', 'plugin suspended').map(({ fields }) => fields.untold),
    [980],
  )
})

test('a durable plugin that is suspended at its stop does not hold it up, and keeps its place', async () => {
  const rig = createPluginHostRig({ blockMs: 50 })
  const release = Promise.withResolvers<void>()
  const durable = spec('durable', {
    durable: true,
    apply: (host: Host) => {
      host.tap('buildFinished', () => release.promise)
      host.tap('buildFinished', () => {
        for (const end = performance.now() + 60; performance.now() < end; );
        failing()
      })
      host.tap('buildFinished', () => {})
    },
  })
  await rig.host.start([durable])
  for (let i = 0; i < 3; i++) rig.commit('buildFinished')
  await rig.clock.settle()
  const stopped = rig.host.stop()
  release.resolve()
  await stopped // the fake clock stands still: nothing waited for a deadline
  assert.equal(rig.cursors.get('durable'), 0)
  assert.equal(rig.host.status()[0]?.suspended ?? true, true)
  assert.deepEqual(rig.clock.pending(), [])
})

test('what else of a suspended plugin fails on is counted, not logged line by line', async () => {
  const rig = createPluginHostRig()
  const ticking = spec('ticking', {
    apply() {},
    start(host: Host) {
      const tick = () => {
        host.clock.timer(1000, tick)
        throw new CiError({ code: 'LAMP_OUT', message: 'The lamp is out.' })
      }
      host.clock.timer(1000, tick)
    },
  })
  await rig.host.start([ticking])
  await rig.clock.advance('5m')
  assert.equal(rig.log.find('error', 'timer failed').length, 20)
  assert.equal(rig.log.find('error', 'plugin suspended').length, 1)
  assert.equal(rig.host.status()[0]!.errors, 300)
  await rig.host.stop()
})
