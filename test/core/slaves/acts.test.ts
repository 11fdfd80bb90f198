import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { createScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

const bots = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x', missingTimeout: '1h' }))
const make = (name: string, slaves = ['bot-1']) =>
  builder({ name, slaves, factory: buildFactory([sh({ command: name })]) })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: bots,
  builders: [make('a'), make('b'), make('c', ['bot-1', 'bot-2'])],
  ...over,
})
const force = (rig: Rig, name: string) => rig.master.force({ builder: name, who: 'jane', reason: 'try it' }, 'test')
const on = { slave: 'bot-1', who: 'ann', reason: 'disk full' }

async function whyOf(rig: Rig, name: string): Promise<string | undefined> {
  await rig.settle()
  const [request] = await rig.master.query.requests({ builder: name })
  return request && (await rig.master.query.why(request.id))?.text
}

const viewOf = async (rig: Rig) => (await rig.master.query.slaves())[0]!

test('a paused slave finishes what it runs, gets nothing new, and says who paused it; a restart does not wake it', async () => {
  const rig = await createRig(config())
  const bot = await rig.slave('bot-1', [{ match: 'a', hang: true }])
  await force(rig, 'a')
  await rig.settle()
  await rig.master.pauseSlave(on, 'test')
  await force(rig, 'b')
  assert.equal(await whyOf(rig, 'b'), 'slave bot-1 is paused by ann since 2001-09-09T01:46:40.000Z: disk full')
  bot.finish()
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished a #0 on bot-1 success'])
  assert.equal(await whyOf(rig, 'b'), 'slave bot-1 is paused by ann since 2001-09-09T01:46:40.000Z: disk full')

  await using next = await rig.restart()
  await next.slave('bot-1')
  assert.equal(await whyOf(next, 'b'), 'slave bot-1 is paused by ann since 2001-09-09T01:46:40.000Z: disk full')
  assert.deepEqual((await viewOf(next)).paused, { by: 'ann', at: next.clock.now(), reason: 'disk full' })

  await next.master.resumeSlave({ ...on, reason: 'mended' }, 'test')
  assert.deepEqual(await next.story('buildFinished'), ['buildFinished b #0 on bot-1 success'])
  assert.equal((await viewOf(next)).paused, null)
})

test('what a paused slave would have built goes to another one', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot-1')
  await rig.slave('bot-2')
  await rig.master.pauseSlave(on, 'test')
  for (let i = 0; i < 5; i++) {
    await force(rig, 'c')
    await rig.settle()
  }
  assert.deepEqual(new Set(await rig.story('buildStarted')).size, 5)
  assert.ok((await rig.story('buildStarted')).every((line) => line.endsWith('on bot-2')))
})

test('a released slave finishes all it runs, then is told to exit; when it comes back it is free again', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1', [
    { match: 'a', hang: true },
    { match: 'b', hang: true },
  ])
  const asked = () => bot.asked.filter(({ what }) => what === 'shutdown').length
  await force(rig, 'a')
  await force(rig, 'b')
  await rig.settle()
  await rig.master.releaseSlave(on, 'test')
  await force(rig, 'c')
  assert.equal(
    await whyOf(rig, 'c'),
    'slave bot-1 finishes what it runs and exits; slave bot-2 is not connected since 2001-09-09T01:46:40.000Z',
  )
  assert.equal((await viewOf(rig)).leaving, true)
  bot.finish('a')
  await rig.settle()
  assert.equal(asked(), 0, 'b still runs')
  bot.finish('b')
  assert.deepEqual(await rig.story('buildFinished', 'slaveLost'), [
    'buildFinished a #0 on bot-1 success',
    'buildFinished b #0 on bot-1 success',
    'slaveLost on bot-1',
  ])
  assert.equal(asked(), 1)
  await assert.rejects(rig.master.releaseSlave(on, 'test'), { code: 'BOLT_SLAVES_OFFLINE' })

  await bot.attach(rig.door)
  assert.equal((await rig.story('buildFinished')).at(-1), 'buildFinished c #0 on bot-1 success')
})

test('a released slave is still let go when its link breaks and when the master is restarted; another program is not', async () => {
  const rig = await createRig(config())
  const bot = await rig.slave('bot-1', [{ match: 'a', hang: true }])
  const asked = () => bot.asked.filter(({ what }) => what === 'shutdown').length
  await force(rig, 'a')
  await rig.settle()
  await rig.master.releaseSlave(on, 'test')
  bot.drop('a cable')
  await rig.settle()
  await bot.attach(rig.door)
  assert.equal((await viewOf(rig)).leaving, true)

  const next = await rig.restart()
  await bot.attach(next.door)
  await force(next, 'b')
  assert.equal(await whyOf(next, 'b'), 'slave bot-1 finishes what it runs and exits')
  assert.equal(asked(), 0, 'a still runs')
  bot.finish('a')
  assert.deepEqual(await next.story('buildFinished'), ['buildFinished a #0 on bot-1 success'])
  assert.equal(asked(), 1)
  assert.match((await whyOf(next, 'b'))!, /not connected/)

  await using last = await next.restart()
  await last.slave('bot-1')
  assert.deepEqual(await last.story('buildFinished'), ['buildFinished b #0 on bot-1 success'])
})

test('a slave that is released and restarted while the master is away is free again', async () => {
  const rig = await createRig(config())
  await rig.slave('bot-1', [{ match: 'a', hang: true }])
  await force(rig, 'a')
  await rig.settle()
  await rig.master.releaseSlave(on, 'test')
  await using next = await rig.restart()
  await next.slave('bot-1')
  assert.equal((await viewOf(next)).leaving, false)
  assert.equal((await next.story('buildFinished')).at(-1), 'buildFinished a #1 on bot-1 success')
})

test('a master that stops does not end what its leaving slaves run', async () => {
  const rig = await createRig(config())
  const bot = await rig.slave('bot-1', [{ match: 'a', hang: true }])
  await force(rig, 'a')
  await rig.settle()
  await rig.master.releaseSlave(on, 'test')
  await rig[Symbol.asyncDispose]()
  assert.ok(!bot.asked.some(({ what }) => what === 'shutdown'))
})

test('an idle slave that is released is told at once', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1')
  await rig.master.releaseSlave(on, 'test')
  assert.deepEqual(await rig.story('slaveLost'), ['slaveLost on bot-1'])
  assert.equal(bot.asked.at(-1)?.what, 'shutdown')
})

test('a slave may ask to be let go itself', async () => {
  await using rig = await createRig(config())
  const bot = createScriptedSlave({ name: 'bot-1', answers: [{ match: 'a', hang: true }], clock: rig.clock })
  const leaving = Promise.withResolvers<string>()
  await rig.door.attach(Object.assign(bot.connect(), { leaving: leaving.promise }))
  await force(rig, 'a')
  await rig.settle()
  leaving.resolve('it got SIGHUP')
  await force(rig, 'b')
  assert.equal(await whyOf(rig, 'b'), 'slave bot-1 finishes what it runs and exits')
  bot.finish()
  assert.deepEqual(await rig.story('buildFinished', 'slaveLost'), [
    'buildFinished a #0 on bot-1 success',
    'slaveLost on bot-1',
  ])
})

test('a planned absence stops the missing clock, is the reason why builds wait, and survives a restart', async () => {
  const rig = await createRig(config())
  const bot = await rig.slave('bot-1')
  await rig.master.slaveAway({ ...on, reason: 'new disk', ms: 4 * 3_600_000 }, 'test')
  const until = new Date(rig.clock.now() + 4 * 3_600_000).toISOString()
  bot.drop()
  await force(rig, 'a')
  assert.equal(await whyOf(rig, 'a'), `slave bot-1 is away until ${until}: new disk`)
  await rig.clock.advance('3h')

  await using next = await rig.restart()
  const missed = async () => (await next.story('slaveMissing')).filter((line) => line.endsWith('bot-1'))
  await next.clock.advance('119m')
  assert.deepEqual(await missed(), [])
  await next.clock.advance('2m')
  assert.deepEqual(await missed(), ['slaveMissing on bot-1'], 'an hour after it should have been back')
})

test('a planned absence that is taken back counts no longer', async () => {
  await using rig = await createRig(config())
  await rig.master.slaveAway({ ...on, ms: 48 * 3_600_000 }, 'test')
  await rig.clock.advance('50m')
  await rig.master.slaveAway({ ...on, ms: 0 }, 'test')
  await rig.clock.advance('11m')
  assert.ok((await rig.story('slaveMissing')).includes('slaveMissing on bot-1'))
})

test('acts on a slave that there is not say what there is', async () => {
  await using rig = await createRig(config())
  await assert.rejects(rig.master.pauseSlave({ ...on, slave: 'bot' }, 'test'), {
    code: 'BOLT_SLAVES_NO_SUCH',
    message: /^There is no slave "bot"\. .*Known: "bot-1", "bot-2"\.$/,
  })
})

test('a plugin pauses and resumes through its host', async () => {
  const { definePlugin } = await import('boltbot/plugin-sdk')
  const chat = definePlugin({
    name: 'chat',
    kind: 'service',
    needs: ['pause'],
    apply: () => {},
    async start(host) {
      await host.pause({ slave: 'bot-1', who: 'ann', reason: 'noise' })
      await host.pause({ slave: 'bot-2', who: 'ann', reason: 'noise' })
      await host.resume({ slave: 'bot-2', who: 'ann', reason: 'quiet' })
    },
  })
  await using rig = await createRig(config({ plugins: [chat()] }))
  assert.deepEqual(
    (await rig.master.query.slaves()).map(({ paused }) => paused?.reason),
    ['noise', undefined],
  )
})

for (const [act, why] of [
  ['pauseSlave', /^slave bot-1 is paused by ann/],
  ['releaseSlave', /^slave bot-1 is not connected since/], // it has exited
] as const)
  test(`${act} during the ping of a start: the build does not begin, and waits on`, async () => {
    await using rig = await createRig(config())
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    const bot = createScriptedSlave({ name: 'bot-1', clock: rig.clock })
    await rig.door.attach(Object.assign(bot.connect(), { startBuild: () => answered }))
    await force(rig, 'a')
    await rig.settle()
    await rig.master[act](on, 'test')
    answer()
    assert.deepEqual(await rig.story('buildStarted'), [])
    assert.match((await whyOf(rig, 'a')) ?? '', why)
  })
