import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'
import { clockwork } from '../rig/clockwork.ts'

const START = 1_000_000_000_000
const bot = slave({ name: 'bot' })
const full = builder({
  name: 'full',
  slaves: [bot],
  factory: buildFactory([shellCommand({ command: ['make'], description: 'make' })]),
})
const configOf = (options: Parameters<typeof clockwork>[0]) =>
  defineMaster({
    projectName: 'Hello',
    transports: [],
    slaves: [bot],
    builders: [full],
    plugins: [clockwork(options)],
    status: [mailNotifier({ fromaddr: 'ci@example.org', extraRecipients: ['team@example.org'], isolation: 'worker' })],
  })
const config = configOf({ isolation: 'worker' })
const written = (rig: Awaited<ReturnType<typeof createRig>>) =>
  rig.log
    .find('info', 'written down')
    .map(({ fields }) => [fields.number, (fields.at as number) - START, fields.isThread])

test('a plugin in a thread sees the time of the rig, each timer of it at its own', async () => {
  await using rig = await createRig({ config, workers: true })
  assert.equal(rig.clock.now(), START, 'the thread was started in no time')
  await rig.force('full')
  await rig.until.build('full', 'success')
  assert.deepEqual(written(rig), [])
  await rig.advance('10s')
  assert.deepEqual(written(rig), [[0, 10_000, true]])
  assert.deepEqual(
    rig.events.flatMap(({ name, event }) => (name === 'changeAccepted' ? [event.change.comments] : [])),
    ['full #0'],
  )
  await rig.advance('10m')
  assert.deepEqual(
    rig.log.find('info', 'tick').map(({ fields }) => (fields.at as number) - START),
    Array.from({ length: 10 }, (_, minute) => (minute + 1) * 60_000),
  )
  assert.equal((await rig.until.mail()).to, 'team@example.org', 'what the stage stands for is on the stage')
})

test('its thread dies with a killed master, and a durable one is told by the next', async () => {
  await using rig = await createRig({ config, workers: true })
  await rig.force('full')
  await rig.until.build('full', 'success')
  await rig.advance('9s')
  await rig.restart()
  assert.deepEqual(written(rig), [])
  await rig.advance('10s')
  assert.deepEqual(written(rig), [[0, 19_000, true]])
  assert.deepEqual(rig.log.find('error'), [])
})

test('one that ends its thread is started again, by the time of the rig', async () => {
  await using rig = await createRig({ config: configOf({ isolation: 'worker', endAt: 0 }), workers: true })
  await rig.force('full')
  await rig.until.build('full', 'success')
  assert.equal(rig.log.find('error', 'plugin cut off, it will be started again').length, 1)
  await rig.advance('1m')
  assert.deepEqual(
    written(rig).map(([number]) => number),
    [0],
  )
  assert.equal(rig.log.find('info', 'plugin started again in a new worker').length, 1)
})

test('without being asked a rig runs it in its own process', async () => {
  await using rig = await createRig({ config })
  await rig.force('full')
  await rig.until.build('full', 'success')
  await rig.advance('10s')
  assert.deepEqual(written(rig), [[0, 10_000, false]])
})
