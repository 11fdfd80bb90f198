import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, masterLock, slave, slaveLock } from 'boltbot/plugin-sdk'
import { createScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { createLocks, type LockNeed } from '../../core/locks.ts'
import { failing } from '../rig/failing.ts'
import { commit, each, sh } from '../rig/parts.ts'
import { createRig, type RigOptions } from '../rig/rig.ts'

// What the simulation found, each as a story of its own.

const bots = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x', maxBuilds: 1 }))
const make = (name: string, over: Partial<Parameters<typeof builder>[0]> = {}) =>
  builder({ name, slaves: ['bot-1'], factory: buildFactory([sh({ command: name })]), ...over })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: bots,
  builders: [make('a'), make('b', { slaves: ['bot-2'] })],
  schedulers: [],
  ...over,
})
const by = { who: 'jane', reason: 'try it' }

test('a builder whose slaves are gone does not keep others from the lock it waited for', async () => {
  const database = masterLock('database')
  const locks = [database.access('exclusive')]
  const builders = ['holder', 'gone', 'other'].map((name) =>
    make(name, { locks, slaves: name === 'gone' ? ['bot-2'] : ['bot-1'] }),
  )
  await using rig = await createRig(config({ builders, slaves: [slave({ name: 'bot-1', password: 'x' }), bots[1]!] }))
  const first = await rig.slave('bot-1', [{ match: 'holder', hang: true }])
  const second = await rig.slave('bot-2')
  for (const { name } of builders) {
    await rig.master.force({ ...by, builder: name }, 'test')
    await rig.settle()
  }
  second.drop('gone for good')
  await rig.settle()
  first.finish()
  assert.deepEqual(await rig.story('buildFinished'), [
    'buildFinished holder #0 on bot-1 success',
    'buildFinished other #0 on bot-1 success',
  ])
})

test('a build that waits for a slave does not keep the build on that slave from a lock', async () => {
  const database = masterLock('database')
  const step = sh({ command: 'use it', locks: [database.access('exclusive')] })
  const builders = [
    make('holder', { slaves: ['bot-2'], locks: [database.access('exclusive')] }),
    make('waiter', { locks: [database.access('exclusive')] }),
    make('user', { factory: buildFactory([sh({ command: 'first' }), step]) }),
  ]
  await using rig = await createRig(config({ builders }))
  const second = await rig.slave('bot-2', [{ match: 'holder', hang: true }])
  const first = await rig.slave('bot-1', [{ match: 'first', hang: true }])
  await rig.master.force({ ...by, builder: 'holder' }, 'test')
  await rig.settle()
  await rig.master.force({ ...by, builder: 'waiter' }, 'test')
  await rig.settle()
  await rig.master.cancel({ request: 2, ...by }, 'test')
  await rig.master.force({ ...by, builder: 'user' }, 'test')
  await rig.settle()
  await rig.master.force({ ...by, builder: 'waiter' }, 'test')
  await rig.settle()
  first.finish()
  second.finish()
  assert.deepEqual((await rig.story('buildFinished')).toSorted(), [
    'buildFinished holder #0 on bot-2 success',
    'buildFinished user #0 on bot-1 success',
    'buildFinished waiter #0 on bot-1 success',
  ])
})

test('builds behind a cancelled one in the row for a lock move up at once', async () => {
  const network = masterLock('network', { maxCount: 2 })
  const builders = [
    make('holder', { locks: [network.access('counting')] }),
    make('alone', { locks: [network.access('exclusive')] }),
    make('shares', { locks: [network.access('counting')] }),
  ]
  await using rig = await createRig(config({ builders, slaves: [slave({ name: 'bot-1', password: 'x' })] }))
  await rig.slave('bot-1', [{ match: 'holder', hang: true }])
  await rig.master.force({ ...by, builder: 'holder' }, 'test')
  await rig.settle()
  const alone = await rig.master.force({ ...by, builder: 'alone' }, 'test')
  await rig.settle()
  await rig.master.force({ ...by, builder: 'shares' }, 'test')
  assert.equal((await rig.story('buildStarted')).length, 1)
  await rig.master.cancel({ request: alone.requests[0]!, ...by }, 'test')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished shares #0 on bot-1 success'])
})

test('a builder that is taken out of the config leaves the row for a lock', async () => {
  const network = masterLock('network', { maxCount: 2 })
  const counting = { locks: [network.access('counting')] }
  const stay = [make('holder', counting), make('shares', counting)]
  const slaves = [slave({ name: 'bot-1', password: 'x' })]
  await using rig = await createRig(
    config({ builders: [...stay, make('alone', { locks: [network.access('exclusive')] })], slaves }),
  )
  await rig.slave('bot-1', [{ match: 'holder', hang: true }])
  for (const builder of ['holder', 'alone', 'shares']) {
    await rig.master.force({ ...by, builder }, 'test')
    await rig.settle()
  }
  await rig.reconfigure(config({ builders: stay, slaves }))
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished shares #0 on bot-1 success'])
})

test('whoever gives up its place in a row wakes those behind it', () => {
  let woken = 0
  const locks = createLocks(() => void woken++)
  const needs = (mode: LockNeed['mode'], name = 'cpu@bot-1'): LockNeed[] => [{ scope: { name, capacity: 2 }, mode }]
  locks.tryTake('builder a', 'a', needs('counting'))
  locks.tryTake('builder b', 'b', needs('exclusive'))
  assert.match(locks.blocked('builder c', needs('counting')) ?? '', /wanted before by b/)
  locks.giveUp('builder b')
  assert.equal(woken, 1)
  assert.equal(locks.blocked('builder c', needs('counting')), undefined)
  locks.tryTake('builder b', 'b', needs('exclusive'))
  locks.tryTake('builder b', 'b', needs('exclusive', 'cpu@bot-2'))
  assert.equal(woken, 2)
})

test('a build goes to a slave whose lock is free, not only to the one that chance chose', async () => {
  const cpu = slaveLock('cpu')
  const builders = [
    make('a', { locks: [cpu.access('exclusive')] }),
    make('b', { slaves: ['bot-1', 'bot-2'], locks: [cpu.access('exclusive')] }),
  ]
  const slaves = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x' }))
  for (let seed = 1; seed <= 5; seed++) {
    await using rig = await createRig(config({ builders, slaves }), seed)
    await rig.slave('bot-1', [{ hang: true }])
    await rig.slave('bot-2', [{ hang: true }])
    await rig.master.force({ ...by, builder: 'a' }, 'test')
    await rig.settle()
    await rig.master.force({ ...by, builder: 'b' }, 'test')
    assert.deepEqual(await rig.story('buildStarted'), ['buildStarted a #0 on bot-1', 'buildStarted b #0 on bot-2'])
  }
})

test('a link that breaks while it is attached is not taken for the link of the slave', async () => {
  await using rig = await createRig(config())
  const bot = createScriptedSlave({ name: 'bot-1' })
  const link = bot.connect()
  const { setBuilders } = link
  Object.assign(link, {
    async setBuilders(builders: Parameters<typeof setBuilders>[0]) {
      await setBuilders(builders)
      bot.drop('at the worst moment')
    },
  })
  await rig.door.attach(link)
  await rig.settle()
  assert.equal((await rig.master.query.slaves())[0]?.state, 'detached')
})

test('two new links of a slave that does not answer: one takes its place, the other is refused', async () => {
  await using rig = await createRig(config())
  const dead = await rig.slave('bot-1')
  dead.mute()
  const both = Promise.allSettled([rig.slave('bot-1'), rig.slave('bot-1')])
  await rig.clock.advance('11s')
  assert.deepEqual((await both).map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

test('a start that fails again and again is tried less and less often', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot-1')
  failing(rig, 'startBuild', 5)
  await rig.master.force({ ...by, builder: 'a' }, 'test')
  await rig.settle()
  assert.equal(rig.log.find('warn', 'build not started').length, 2)
  assert.match((await rig.master.why())[0]?.why?.text ?? '', /could not be started: .*disk full.* Next try at/)
  await rig.clock.advance('1m')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished a #0 on bot-1 success'])
})

test('a change that comes while the config is changed is built by the scheduler that saw it', async () => {
  const before = config({ builders: [make('a'), make('b')], schedulers: [each({ builders: ['a', 'b'] })] })
  const after = config({ builders: [make('a')], schedulers: [each({ builders: ['a'] })] })
  await using rig = await createRig(before)
  const changed = rig.master.submitChange(commit('r1'), 'test')
  await Promise.all([changed, rig.reconfigure(after)])
  assert.equal((await rig.story('buildsetCreated')).length, 1)
})

test('a scheduler that cannot be stored at first does not miss what comes meanwhile', async () => {
  await using rig = await createRig(config())
  failing(rig, 'openScheduler', 1)
  await rig.reconfigure(config({ schedulers: [each({ builders: ['a'] })] }))
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.reconfigure(config({ schedulers: [each({ builders: ['a'] })], properties: { a: 1 } }))
  await rig.clock.advance('10s')
  assert.equal((await rig.story('buildsetCreated')).length, 1)
})

test('a config stays in force when only its record cannot be stored', async () => {
  await using rig = await createRig(config())
  failing(rig, 'keepSchedulers', 1)
  await rig.reconfigure(config({ builders: [make('a'), make('c')] }))
  assert.deepEqual(
    (await rig.master.query.builders()).map(({ name }) => name),
    ['a', 'c'],
  )
})

test('commands of a step that could not be stored are forgotten on the slave', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1')
  failing(rig, 'finishStep', 1)
  await rig.master.force({ ...by, builder: 'a' }, 'test')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished a #0 on bot-1 exception'])
  assert.deepEqual(bot.held, [])
})

test('reasons that a killed master stored are gone when nothing waits any more', async () => {
  const rig = await createRig(config())
  const { requests } = await rig.master.force({ ...by, builder: 'a' }, 'test')
  await rig.clock.advance(100)
  assert.equal((await rig.store.db.selectFrom('why_nots').selectAll().execute()).length, 1)
  failing(rig, 'saveWhyNots', 1)
  await rig.master.cancel({ request: requests[0]!, ...by }, 'test')
  await rig.settle()
  await using next = await rig.restart()
  await next.clock.advance('1m')
  assert.deepEqual(await next.store.db.selectFrom('why_nots').selectAll().execute(), [])
})
