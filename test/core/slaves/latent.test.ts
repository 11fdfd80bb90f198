import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, type SlaveMissing, slave } from 'boltbot/plugin-sdk'
import { createScriptedSlave, type ScriptedAnswer, type ScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'
import { createScriptedEngine, type ScriptedEngine } from '../../rig/scripted-engine.ts'

const latent = { engine: 'rig/engine', settings: { size: 'big' } }
const cloud = slave({ name: 'cloud', latent, notifyOnMissing: 'ann@example.org' })
const bot = slave({ name: 'bot', password: 'x', missingTimeout: 0 })
const make = (name: string, slaves = ['cloud']) =>
  builder({ name, slaves, factory: buildFactory([sh({ command: name })]) })
const config = (engine: ScriptedEngine, over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: [cloud, bot],
  builders: [make('a'), make('b'), make('c', ['cloud', 'bot'])],
  transports: [engine.plugin()],
  ...over,
})

const force = (rig: Rig, name: string) => rig.master.force({ builder: name, who: 'jane', reason: 'try it' }, 'test')
const builds = (rig: Rig) => rig.story('buildFinished')

async function stateOf(rig: Rig): Promise<string> {
  await rig.settle()
  return (await rig.master.query.slaves())[0]!.state
}

async function whyOf(rig: Rig, name: string): Promise<string | undefined> {
  await rig.settle()
  const [request] = await rig.master.query.requests({ builder: name })
  return request && (await rig.master.query.why(request.id))?.text
}

/** The agent of the instance logs in, with the password it was given. */
async function arrive(
  rig: Rig,
  engine: ScriptedEngine,
  answers: readonly ScriptedAnswer[] = [],
): Promise<ScriptedSlave> {
  await rig.settle()
  const { spec } = [...engine.instances.values()].at(-1)!
  assert.equal(rig.door.password('cloud'), spec.password, 'it is let in')
  const agent = createScriptedSlave({ name: 'cloud', answers, clock: rig.clock })
  await agent.attach(rig.door)
  return agent
}

test('a build starts an instance, runs on it, and the instance is ended when it has had nothing to do for a while', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  assert.equal(await stateOf(rig), 'latent')
  assert.equal(
    (await rig.master.query.builder('a'))!.state,
    'idle',
    'a slave that can be started is as good as one that is here',
  )
  const { warning } = await force(rig, 'a')
  assert.equal(warning, null)
  assert.equal(await stateOf(rig), 'substantiating')
  assert.equal(await whyOf(rig, 'a'), 'slave cloud is being started')
  const [ordered] = [...engine.instances.values()]
  assert.deepEqual([ordered?.key.request, ordered?.spec.settings], [1, { size: 'big' }])

  const agent = await arrive(rig, engine)
  assert.deepEqual(await builds(rig), ['buildFinished a #0 on cloud success'])
  assert.equal(await stateOf(rig), 'idle')
  await rig.clock.advance('9m')
  await force(rig, 'b')
  assert.equal((await builds(rig)).at(-1), 'buildFinished b #0 on cloud success')
  await rig.clock.advance('9m')
  assert.equal(await stateOf(rig), 'idle', 'the time counts anew after each build')
  await rig.clock.advance('2m')
  assert.equal(await stateOf(rig), 'latent')
  assert.ok(agent.asked.some(({ what }) => what === 'shutdown'))
  assert.deepEqual(engine.asked, ['submit cloud 1', 'cancel cloud 1'])
  assert.deepEqual(await rig.story('slaveMissing'), [], 'a latent slave that is not here is not missing')

  await force(rig, 'a')
  await arrive(rig, engine)
  assert.equal((await builds(rig)).at(-1), 'buildFinished a #1 on cloud success')
  assert.equal(engine.asked.at(-1), 'submit cloud 2')
})

test('several builders share one instance that is being started', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await force(rig, 'b')
  await arrive(rig, engine)
  assert.deepEqual((await builds(rig)).toSorted(), [
    'buildFinished a #0 on cloud success',
    'buildFinished b #0 on cloud success',
  ])
  assert.deepEqual(engine.asked, ['submit cloud 1'])
})

test('a slave that is here is used before another machine is started', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await rig.slave('bot')
  for (let i = 0; i < 5; i++) {
    await force(rig, 'c')
    await rig.settle()
  }
  assert.deepEqual(engine.asked, [])
  assert.equal((await builds(rig)).length, 5)
})

test('an instance that does not come is cancelled, its request goes elsewhere, and it is left alone for longer and longer', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await force(rig, 'c')
  await rig.settle()
  await rig.slave('bot')
  assert.deepEqual(await builds(rig), [], 'both wait for the instance')
  await rig.clock.advance('20m')
  assert.deepEqual(await builds(rig), ['buildFinished c #0 on bot success'])
  assert.deepEqual(engine.asked, ['submit cloud 1', 'cancel cloud 1'])
  const next = new Date(rig.clock.now() + 30_000).toISOString()
  assert.equal(
    await whyOf(rig, 'a'),
    `slave cloud did not start (its instance did not log in within 20 min), next try at ${next}`,
  )

  const tries = () => engine.asked.filter((what) => what.startsWith('submit')).length
  await rig.clock.advance('29s')
  assert.equal(tries(), 1)
  await rig.clock.advance('2s')
  await rig.settle()
  assert.equal(tries(), 2)
  await rig.clock.advance('20m')
  await rig.settle()
  await rig.clock.advance('58s')
  assert.equal(tries(), 2, 'a minute this time')
  await rig.clock.advance('3s')
  await rig.settle()
  assert.equal(tries(), 3)

  const { event } = rig.events.find(({ name }) => name === 'slaveMissing')!
  const { slave: name, reason, notify } = event as SlaveMissing
  assert.deepEqual([name, reason, notify], ['cloud', 'its instance did not log in within 20 min', ['ann@example.org']])
  assert.equal((await rig.story('slaveMissing')).length, 1, 'it is told once')
  assert.equal((await rig.master.query.slaves())[0]!.missing, true)
  await arrive(rig, engine)
  assert.deepEqual(await rig.story('slaveBack'), ['slaveBack on cloud'])
  assert.equal((await builds(rig)).at(-1), 'buildFinished a #0 on cloud success')
})

test('an order that is refused is looked up once and not repeated at once', async () => {
  const engine = createScriptedEngine()
  engine.answer = 'refused'
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await rig.settle()
  assert.deepEqual(engine.asked, ['submit cloud 1', 'find cloud 1', 'cancel cloud 1'])
  const { event } = rig.events.find(({ name }) => name === 'slaveMissing')!
  assert.equal((event as SlaveMissing).reason, 'no machines left')
})

test('an order whose answer is lost is found, not given twice', async () => {
  const engine = createScriptedEngine()
  engine.answer = 'lost'
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await arrive(rig, engine)
  assert.deepEqual(await builds(rig), ['buildFinished a #0 on cloud success'])
  assert.deepEqual(engine.asked, ['submit cloud 1', 'find cloud 1'])
})

test('an agent may be faster than the answer to its order', async () => {
  const engine = createScriptedEngine()
  engine.answer = 'never'
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await arrive(rig, engine)
  assert.deepEqual(await builds(rig), ['buildFinished a #0 on cloud success'])
})

test('an instance that dies on the way fails at once', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'c')
  await rig.settle()
  await rig.slave('bot')
  engine.die('cloud', 'the price went up')
  assert.deepEqual(await builds(rig), ['buildFinished c #0 on bot success'])
  const { event } = rig.events.find(({ name }) => name === 'slaveMissing')!
  assert.equal((event as SlaveMissing).reason, 'its instance ended: the price went up')
})

test('a build on an instance that dies is tried again on another, without waiting for it', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  const agent = await arrive(rig, engine, [{ match: 'a', hang: true }])
  await rig.settle()
  engine.die('cloud', 'reclaimed')
  agent.crash()
  await rig.settle()
  assert.deepEqual(await builds(rig), ['buildFinished a #0 on cloud retry'])
  await arrive(rig, engine)
  assert.equal((await builds(rig)).at(-1), 'buildFinished a #1 on cloud success')
  assert.deepEqual(await rig.story('slaveMissing'), [], 'it did start')
})

test('a broken link is waited for; an instance that does not come back is ended', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  const agent = await arrive(rig, engine, [{ match: 'a', hang: true }])
  await rig.settle()
  agent.drop()
  await rig.clock.advance('30s')
  await agent.attach(rig.door)
  agent.finish()
  assert.deepEqual(await builds(rig), ['buildFinished a #0 on cloud success'])
  agent.drop()
  await rig.clock.advance('61s')
  assert.equal(await stateOf(rig), 'latent')
  assert.deepEqual(engine.asked, ['submit cloud 1', 'cancel cloud 1'])
})

test('an instance that reached its age is ended though it builds, and the build goes on elsewhere', async () => {
  const engine = createScriptedEngine()
  const slaves = [slave({ name: 'cloud', latent: { ...latent, maxLifetime: '2h' } }), bot]
  await using rig = await createRig(config(engine, { slaves }))
  await force(rig, 'a')
  await arrive(rig, engine, [{ match: 'a', hang: true }])
  await rig.settle()
  await rig.clock.advance('121m')
  assert.deepEqual(await builds(rig), ['buildFinished a #0 on cloud retry'])
  assert.deepEqual(engine.asked, ['submit cloud 1', 'cancel cloud 1', 'submit cloud 2'])
})

test('an instance that cannot be ended is told so again until it is', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await arrive(rig, engine)
  await rig.settle()
  engine.sticky = true
  await rig.clock.advance('11m')
  await force(rig, 'a')
  assert.equal(await whyOf(rig, 'a'), 'the last instance of slave cloud is being ended')
  engine.sticky = false
  await rig.clock.advance('2m')
  await arrive(rig, engine)
  assert.equal((await builds(rig)).length, 2)
})

test('a master that was killed finds its instances: one on its way, one ordered but not answered, one that is gone', async () => {
  for (const [answer, dies] of [
    ['taken', false],
    ['never', false],
    ['taken', true],
  ] as const) {
    const engine = createScriptedEngine()
    engine.answer = answer
    const first = await createRig(config(engine))
    await force(first, 'a')
    await first.settle()
    if (dies) engine.instances.clear()
    engine.answer = 'taken'
    await using next = await first.restart()
    await arrive(next, engine)
    assert.deepEqual(await builds(next), ['buildFinished a #0 on cloud success'])
    const submits = engine.asked.filter((what) => what.startsWith('submit'))
    assert.deepEqual(submits, dies ? ['submit cloud 1', 'submit cloud 2'] : ['submit cloud 1'])
  }
})

test('a master that was killed goes on ending what it began to end, and keeps the quarantine', async () => {
  const engine = createScriptedEngine()
  engine.sticky = true
  const first = await createRig(config(engine))
  await force(first, 'a')
  await first.settle()
  await first.clock.advance('20m')
  await first.settle()
  assert.equal(engine.instances.size, 1)
  engine.sticky = false
  await using next = await first.restart()
  await next.settle()
  assert.equal(engine.instances.size, 0)
  assert.match((await whyOf(next, 'a')) ?? '', /slave cloud did not start, next try at/)
  await next.clock.advance('31s')
  await arrive(next, engine)
  assert.deepEqual(await builds(next), ['buildFinished a #0 on cloud success'])
})

test('a restarted master knows the instances of the processes before it by their whole key, and ends what nobody wants', async () => {
  const engine = createScriptedEngine()
  engine.answer = 'late'
  const first = await createRig(config(engine))
  await force(first, 'a')
  await first.settle()
  await using next = await first.restart()
  engine.deliver()
  engine.answer = 'taken'
  await next.clock.advance('6m')
  await next.settle()
  assert.deepEqual([...engine.instances.keys()], ['cloud 2'], 'the late one is ended')
  const [ordered] = [...engine.instances.values()]
  await using last = await next.restart()
  const agent = await arrive(last, engine)
  assert.equal(agent.name, 'cloud')
  assert.deepEqual(await builds(last), ['buildFinished a #0 on cloud success'])
  assert.match(ordered?.key.master ?? '', /^[0-9a-f-]{36}$/, 'the master, not one of its processes')
})

test('instances that nobody wants are ended: of orders that came through late, and of slaves that are latent no longer', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await arrive(rig, engine)
  await rig.settle()
  const [one] = [...engine.instances.values()]
  const other = { ...one!.key, master: 'another master', slave: 'theirs' }
  engine.instances.set('late', { key: { ...one!.key, epoch: 0 }, spec: one!.spec })
  engine.instances.set('theirs', { key: other, spec: one!.spec })
  await rig.clock.advance('5m')
  await rig.settle()
  assert.ok(engine.asked.includes('cancel cloud 0'))
  assert.ok(!engine.asked.includes('cancel theirs 1'))
  assert.equal(await stateOf(rig), 'idle')

  const slaves = [slave({ name: 'cloud', password: 'y' }), bot]
  await rig.reconfigure(config(engine, { slaves }))
  await rig.settle()
  assert.ok(engine.asked.includes('cancel cloud 1'))
})

test('an agent that nobody asked for is not let in', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  assert.equal(rig.door.password('cloud'), undefined)
  await assert.rejects(createScriptedSlave({ name: 'cloud' }).attach(rig.door), { code: 'BOLT_SLAVES_UNASKED' })
  await force(rig, 'a')
  await arrive(rig, engine)
  const first = rig.door.password('cloud')
  await rig.clock.advance('11m')
  assert.equal(rig.door.password('cloud'), undefined)
  await force(rig, 'a')
  await rig.settle()
  assert.notEqual(rig.door.password('cloud'), first, 'each instance has its own password')
})

test('a master that stops does not wait for what it starts', async () => {
  const engine = createScriptedEngine()
  const rig = await createRig(config(engine))
  await force(rig, 'a')
  await rig.settle()
  await rig[Symbol.asyncDispose]()
  assert.equal(engine.instances.size, 1, 'it is left for the next process')
})

test('a request that is cancelled while its instance starts is not built', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  const { requests } = await force(rig, 'a')
  await rig.settle()
  await rig.master.cancel({ request: requests[0]!, who: 'jane', reason: 'enough' }, 'test')
  await arrive(rig, engine)
  assert.deepEqual(await builds(rig), [])
  await rig.clock.advance('11m')
  assert.equal(await stateOf(rig), 'latent')
})

test('a latent slave whose engine is gone says so', async () => {
  const engine = createScriptedEngine()
  const other = createScriptedEngine()
  const slaves = [slave({ name: 'cloud', latent: { engine: 'other' } }), bot]
  const named = { ...other.plugin(), id: 'other', definition: { ...other.plugin().definition, start: () => {} } }
  await using rig = await createRig(config(engine, { slaves, transports: [engine.plugin(), named] }))
  await force(rig, 'a')
  assert.equal(await whyOf(rig, 'a'), 'no plugin other runs that could start slave cloud')
})

test('a pause while the instance starts keeps the build from it until the slave is resumed', async () => {
  const engine = createScriptedEngine()
  await using rig = await createRig(config(engine))
  await force(rig, 'a')
  await rig.settle()
  await rig.master.pauseSlave({ slave: 'cloud', who: 'ann', reason: 'noise' }, 'test')
  await arrive(rig, engine)
  assert.deepEqual(await rig.story('buildStarted'), [])
  assert.match((await whyOf(rig, 'a')) ?? '', /^slave cloud is paused by ann/)
  await rig.master.resumeSlave({ slave: 'cloud', who: 'ann', reason: 'quiet' }, 'test')
  assert.deepEqual(await builds(rig), ['buildFinished a #0 on cloud success'])
})
