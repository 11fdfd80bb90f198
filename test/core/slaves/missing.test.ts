import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, type SlaveMissing, slave } from 'boltbot/plugin-sdk'
import { createScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

const bot1 = slave({ name: 'bot-1', password: 'x', missingTimeout: '1h', notifyOnMissing: 'ann@example.org' })
const bot2 = slave({ name: 'bot-2', password: 'x', missingTimeout: 0 })
const make = builder({ name: 'full', slaves: ['bot-1'], factory: buildFactory([sh({ command: 'make' })]) })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({ slaves: [bot1, bot2], builders: [make], ...over })

const told = (rig: Rig) => rig.story('slaveMissing', 'slaveBack')

async function after(rig: Rig, time: string): Promise<readonly string[]> {
  await rig.settle()
  await rig.clock.advance(time)
  return told(rig)
}

test('a slave that is away for longer than its time is missing, once, and then back', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }], { resumable: false })
  await rig.master.force({ builder: 'full', who: 'jane', reason: 'try it' }, 'test')
  await rig.settle()
  await rig.clock.advance('10m')
  const lostAt = rig.clock.now()
  bot.drop('the cable was cut')

  assert.deepEqual(await after(rig, '59m'), [])
  assert.deepEqual(await after(rig, '2m'), ['slaveMissing on bot-1'])
  assert.deepEqual(await after(rig, '48h'), ['slaveMissing on bot-1'])
  const { event } = rig.events.find(({ name }) => name === 'slaveMissing')!
  const { since, running, notify } = event as SlaveMissing
  assert.deepEqual(
    { since, running: running.map(({ builder, number }) => `${builder} #${number}`), notify },
    { since: lostAt, running: ['full #0'], notify: ['ann@example.org'] },
  )
  assert.equal((await rig.master.query.slaves())[0]!.missing, true)

  await bot.attach(rig.door)
  assert.deepEqual(await told(rig), ['slaveMissing on bot-1', 'slaveBack on bot-1'])
  const [view] = await rig.master.query.slaves()
  assert.deepEqual([view!.missing, view!.absentSince], [false, null])
})

test('a slave that comes back in time is never missing', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1')
  bot.drop()
  await after(rig, '50m')
  await bot.attach(rig.door)
  assert.deepEqual(await after(rig, '24h'), [])
})

test('a slave that never came with the start of the master is missing; one without a limit is not', async () => {
  await using rig = await createRig(config())
  assert.deepEqual(await after(rig, '24h'), ['slaveMissing on bot-1'])
})

test('the clock goes on over restarts of the master, and every start gives slaves a while to come back', async () => {
  const rig = await createRig(config())
  const bot = await rig.slave('bot-1')
  bot.drop()
  await after(rig, '40m')
  const second = await rig.restart()
  assert.deepEqual(await after(second, '18m'), [], 'it has been away for 58 minutes')
  await using third = await second.restart()
  assert.deepEqual(await after(third, '5m'), [], 'the hour is over, but it may be on its way')
  assert.deepEqual(await after(third, '2m'), ['slaveMissing on bot-1'])
})

test('a missing slave is not told again by the next master, and told back by it', async () => {
  const rig = await createRig(config())
  assert.deepEqual(await after(rig, '2h'), ['slaveMissing on bot-1'])
  await using next = await rig.restart()
  assert.deepEqual(await after(next, '24h'), [])
  await next.slave('bot-1')
  assert.deepEqual(await told(next), ['slaveBack on bot-1'])
})

test('a connected slave is given its whole time when the master restarts', async () => {
  const rig = await createRig(config())
  await rig.slave('bot-1')
  await after(rig, '24h')
  await using next = await rig.restart()
  assert.deepEqual(await after(next, '59m'), [])
  await createScriptedSlave({ name: 'bot-1', clock: next.clock }).attach(next.door)
  assert.deepEqual(await after(next, '24h'), [])
})

test('a slave that is gone from the config is not missed; one that is new there is', async () => {
  await using rig = await createRig(config())
  await rig.reconfigure(config({ slaves: [bot2], builders: [builder({ ...make.options, slaves: ['bot-2'] })] }))
  assert.deepEqual(await after(rig, '24h'), [])
  await rig.reconfigure(config())
  assert.deepEqual(await after(rig, '59m'), [])
  assert.deepEqual(await after(rig, '2m'), ['slaveMissing on bot-1'])
})

test('a new limit counts from when the slave was lost', async () => {
  await using rig = await createRig(config())
  await after(rig, '50m')
  await rig.reconfigure(config({ slaves: [slave({ ...bot1.options, missingTimeout: '2h' }), bot2] }))
  assert.deepEqual(await after(rig, '60m'), [])
  assert.deepEqual(await after(rig, '11m'), ['slaveMissing on bot-1'])
})

test('a missing slave that cannot be stored is told as soon as it can', async () => {
  await using rig = await createRig(config())
  const { transition } = rig.store
  const failing: typeof transition = (name, ...rest) =>
    name === 'slaveMissing' ? Promise.reject(new Error('disk full')) : transition(name, ...rest)
  Object.assign(rig.store, { transition: failing })
  assert.deepEqual(await after(rig, '61m'), [])
  Object.assign(rig.store, { transition })
  assert.deepEqual(await after(rig, '2m'), ['slaveMissing on bot-1'])
})

test('what is known of a slave outlives its link and the master', async () => {
  const rig = await createRig(config())
  const info = { admin: 'Ann <ann@example.org>', host: 'a fast one' }
  await createScriptedSlave({ name: 'bot-1', clock: rig.clock, info }).attach(rig.door)
  await rig.clock.advance('4m')
  const heard = rig.clock.now()
  await rig.master.force({ builder: 'full', who: 'jane', reason: 'to hear of it' }, 'test')
  await after(rig, '3m')
  await using next = await rig.restart()
  const [view] = await next.master.query.slaves()
  const { admin, host, version, connectedAt } = view!
  assert.deepEqual({ admin, host, version, connectedAt }, { ...info, version: 'scripted', connectedAt: null })
  assert.equal(view!.lastHeard, heard)
})
