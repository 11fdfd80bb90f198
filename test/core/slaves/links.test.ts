import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, slave, slaveLock } from 'boltbot/plugin-sdk'
import { createScriptedSlave, type ScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { sh } from '../../rig/parts.ts'
import { createRig, type RigOptions } from '../../rig/rig.ts'

const bots = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x' }))
const make = (name: string, slaves = ['bot-1']) =>
  builder({ name, slaves, factory: buildFactory([sh({ command: name })]) })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({ slaves: bots, builders: [make('a')], ...over })

const lists = (bot: ScriptedSlave) =>
  bot.asked.flatMap((item) => (item.what === 'setBuilders' ? [item.builders.map(({ name }) => name).join()] : []))

test('a slave whose builders change is told over the link it has; one whose builders stay is not spoken to', async () => {
  await using rig = await createRig(config())
  const [one, two] = [await rig.slave('bot-1'), await rig.slave('bot-2')]
  const quiet = two.asked.length
  await rig.reconfigure(config({ builders: [make('a'), make('b')] }))
  await rig.reconfigure(config({ builders: [make('a'), make('b')], properties: { x: 1 } }))
  assert.deepEqual(lists(one), ['a', 'a,b'])
  assert.equal(two.asked.length, quiet)
  assert.deepEqual([one.links, two.links], [1, 1])
  await rig.master.force({ builder: 'b', who: 'jane', reason: 'try it' }, 'test')
  assert.deepEqual(await rig.story('buildFinished', 'slaveLost'), ['buildFinished b #0 on bot-1 success'])
})

test('a slave that could not be told its builders is told again at the next change', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1')
  const link = rig.log.text()
  assert.doesNotMatch(link, /slave not told/)
  bot.refuse('setBuilders')
  await rig.reconfigure(config({ builders: [make('a'), make('b')] }))
  assert.match(rig.log.text(), /slave not told its builders/)
  bot.refuse(null)
  await rig.reconfigure(config({ builders: [make('a'), make('b')], properties: { x: 1 } }))
  assert.deepEqual(lists(bot), ['a', 'a,b', 'a,b'])
})

test('a slave that is gone from the config while it builds is disconnected; it cannot come back', async () => {
  await using rig = await createRig(config({ builders: [make('a', ['bot-1', 'bot-2'])] }))
  await rig.slave('bot-1', [{ match: 'a', hang: true }])
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'try it' }, 'test')
  await rig.settle()
  await rig.reconfigure(config({ slaves: [bots[1]!], builders: [make('a', ['bot-2'])] }))
  await assert.rejects(rig.slave('bot-1'), { code: 'BOLT_SLAVES_UNKNOWN' })
  await rig.slave('bot-2')
  assert.deepEqual(await rig.story('slaveLost', 'buildFinished'), [
    'slaveLost on bot-1',
    'buildFinished a #0 on bot-1 retry',
    'buildFinished a #1 on bot-2 success',
  ])
})

test('a lock of a slave is held by every build on it, by itself on each slave', async () => {
  const disk = slaveLock('disk')
  const locked = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x', locks: [disk.access('exclusive')] }))
  const builders = [make('a'), make('b'), make('c', ['bot-2'])]
  await using rig = await createRig(config({ slaves: locked, builders }))
  const one = await rig.slave('bot-1', [{ match: 'a', hang: true }])
  await rig.slave('bot-2')
  for (const name of ['a', 'b', 'c']) {
    await rig.master.force({ builder: name, who: 'jane', reason: 'try it' }, 'test')
    await rig.settle()
  }
  assert.deepEqual(await rig.story('buildStarted'), ['buildStarted a #0 on bot-1', 'buildStarted c #0 on bot-2'])
  const [request] = await rig.master.query.requests({ builder: 'b' })
  assert.match((await rig.master.query.why(request!.id))?.text ?? '', /lock disk@bot-1 held by a #0/)
  one.finish()
  assert.equal((await rig.story('buildStarted')).at(-1), 'buildStarted b #0 on bot-1')
})

test('a slave that builds is not pinged before its next build, and keeps what it builds when it refuses that one', async () => {
  await using rig = await createRig(config({ builders: [make('a'), make('b')] }))
  const bot = await rig.slave('bot-1', [{ match: 'a', hang: true }])
  const force = (name: string) => rig.master.force({ builder: name, who: 'jane', reason: 'try it' }, 'test')
  const pings = () => bot.asked.filter(({ what }) => what === 'ping').length
  await rig.clock.advance('2s')
  await force('a')
  await rig.settle()
  assert.equal(pings(), 1)
  await rig.clock.advance('2s')
  bot.refuse('startBuild')
  await force('b')
  await rig.settle()
  bot.refuse(null)
  await rig.clock.advance('2m')
  assert.deepEqual(await rig.story('buildFinished', 'slaveLost'), ['buildFinished b #0 on bot-1 success'])
  assert.equal(pings(), 1)
  bot.finish()
  assert.equal((await rig.story('buildFinished')).at(-1), 'buildFinished a #0 on bot-1 success')
  await rig.clock.advance('2s')
  await force('a')
  await rig.settle()
  assert.equal(pings(), 2)
})

test('a slave that was heard of within the last second is not pinged before a build', async () => {
  await using rig = await createRig(config({ builders: [make('a')] }))
  const bot = await rig.slave('bot-1')
  const force = () => rig.master.force({ builder: 'a', who: 'jane', reason: 'try it' }, 'test')
  const pings = () => bot.asked.filter(({ what }) => what === 'ping').length
  await rig.clock.advance('5s')
  await force()
  await rig.settle()
  assert.equal(pings(), 1)
  await force() // its last build ended just now
  await rig.settle()
  assert.equal(pings(), 1)
  await rig.clock.advance('1s')
  await force()
  await rig.settle()
  assert.equal(pings(), 2)
})

test('a transport that never says that a link is gone does not keep the master from its end', async () => {
  await using rig = await createRig(config())
  const { door } = rig
  const endless = new Promise<string>(() => {})
  const bot = createScriptedSlave({ name: 'bot-1' })
  await bot.attach({ ...door, attach: (connection) => door.attach({ ...connection, closed: endless }) })
  let stopped = false
  const stop = rig.master.stop().then(() => {
    stopped = true
  })
  await rig.settle()
  assert.equal(stopped, false)
  await rig.clock.advance('5s')
  await stop
})
