import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, masterLock, slave, slaveLock } from 'boltbot/plugin-sdk'
import { createScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { nightly, triggerable } from 'boltbot/plugins/schedulers'
import { trigger } from 'boltbot/plugins/steps'
import { removeBuilds } from '../../core/store/prune.ts'
import { removeChanges } from '../../core/store/prune-changes.ts'
import { failing } from '../rig/failing.ts'
import { commit, each, sh } from '../rig/parts.ts'
import { createRig, type RigOptions } from '../rig/rig.ts'
import { createScriptedEngine } from '../rig/scripted-engine.ts'

// What broke a promise of the product and no other suite had seen, each as a story of its own.

const bots = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x', maxBuilds: 1 }))
const make = (name: string, over: Partial<Parameters<typeof builder>[0]> = {}) =>
  builder({ name, slaves: ['bot-1'], factory: buildFactory([sh({ command: name })]), ...over })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: bots,
  builders: [make('a')],
  schedulers: [],
  ...over,
})

test('changes of a request that waits again stay, though the build that was lost is removed', async () => {
  await using rig = await createRig(config({ schedulers: [each({ builders: ['a'] })] }))
  const bot = await rig.slave('bot-1', [{ hang: true }], { resumable: false })
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  bot.drop('gone')
  await rig.settle()
  const lost = await rig.build('a', 0)
  assert.equal(lost.result, 'retry')
  await rig.master.submitChange(commit('r2', { branch: 'other' }), 'test')
  await rig.settle()
  await removeBuilds(rig.store, [lost.id])
  await rig.store.transition('forget', async (trx) => {
    await trx.updateTable('schedulers').set({ state: '0' }).execute()
  })
  await removeChanges(rig.store, { before: rig.clock.now() + 1, count: null }, 0, 100)
  await rig.slave('bot-1')
  await rig.settle()
  assert.deepEqual((await rig.build('a', 1)).blamelist, ['jane'])
})

/** Lets reads of a table fail so often. */
function failingReads(rig: Awaited<ReturnType<typeof createRig>>, table: string, times: number): { left: number } {
  const count = { left: times }
  const { db } = rig.store
  const { executeQuery } = db.getExecutor()
  const executor = db.getExecutor()
  Object.assign(executor, {
    executeQuery(query: { sql: string }, ...rest: unknown[]) {
      if (count.left > 0 && query.sql.includes(`from "${table}"`)) {
        count.left--
        return Promise.reject(new Error('disk I/O error'))
      }
      return Reflect.apply(executeQuery, executor, [query, ...rest])
    },
  })
  return count
}

test('a change is not lost when the store cannot be read for a moment', async () => {
  await using rig = await createRig(config({ schedulers: [each({ builders: ['a'] })] }))
  const count = failingReads(rig, 'changes', 1)
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  assert.equal(count.left, 0)
  await rig.clock.advance(6000)
  assert.deepEqual(await rig.story('requestQueued'), ['requestQueued a submitted'])
})

test('a nightly scheduler goes on when the store could not be read in its night', async () => {
  const schedulers = [nightly({ name: 'night', builders: ['a'], hour: 3, minute: 0 })]
  await using rig = await createRig(config({ schedulers }))
  await rig.master.submitChange(commit('r1'), 'test')
  const count = failingReads(rig, 'changes', 1)
  const first = rig.master.schedulers()[0]!.wakeAt!
  await rig.clock.advance(first - rig.clock.now() + 1000)
  await rig.clock.advance(6000)
  assert.equal(count.left, 1, 'it needs no change')
  assert.ok(rig.master.schedulers()[0]!.wakeAt! > rig.clock.now())
})

test('a scheduler whose rules throw at its moment is asked again', async () => {
  let fails = 1
  const moody = definePlugin({
    name: 'rig/moody',
    kind: 'scheduler',
    needs: ['schedulers'],
    apply(host) {
      host.registerScheduler({
        name: host.id,
        builders: ['a'],
        initial: 0,
        decide(input, count: number, now) {
          if (input.kind === 'start') return { state: count, wakeAt: now + 60_000 }
          if (fails-- > 0) throw new Error('moody')
          return { state: count + 1, wakeAt: null, buildsets: [{ reason: 'now' }] }
        },
      })
    },
  })
  await using rig = await createRig(config({ schedulers: [moody()] }))
  await rig.clock.advance(60_000)
  await rig.settle()
  assert.deepEqual(await rig.story('requestQueued'), [])
  for (let i = 0; i < 12; i++) await rig.clock.advance(60_000)
  assert.deepEqual(await rig.story('requestQueued'), ['requestQueued a submitted'])
})

test('a config that was refused leaves no place in the journal behind', async () => {
  const fails = definePlugin({
    name: 'rig/fails',
    kind: 'status',
    apply() {},
    start() {
      throw new Error('no')
    },
  })
  const heard: number[] = []
  const target = definePlugin({
    name: 'rig/target',
    kind: 'status',
    durable: true,
    apply(host) {
      host.tap('changeAccepted', ({ change }) => void heard.push(change.id))
    },
  })
  await using rig = await createRig(config())
  await assert.rejects(rig.reconfigure(config({ plugins: [target(), fails()] })))
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  const cursors = await rig.store.db.selectFrom('cursors').selectAll().execute()
  assert.deepEqual(
    cursors.map(({ plugin }) => plugin).filter((id) => id !== 'rig/recorder'),
    [],
  )
  await rig.reconfigure(config({ plugins: [target()] }))
  await rig.settle()
  assert.deepEqual(heard, [])
})

test('a build that waited for its slave while the config changed outlives its master', async () => {
  const engine = createScriptedEngine()
  const cloud = slave({ name: 'cloud', latent: { engine: 'rig/engine', settings: {} } })
  const options = (over: Partial<RigOptions> = {}): RigOptions => ({
    slaves: [cloud, ...bots],
    builders: [make('a', { slaves: ['cloud'] })],
    transports: [engine.plugin()],
    ...over,
  })
  const rig = await createRig(options())
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'try it' }, 'test')
  await rig.settle()
  const changed = options({ builders: [make('a', { slaves: ['cloud'] }), make('b')] })
  await rig.reconfigure(changed)
  const agent = createScriptedSlave({ name: 'cloud', answers: [{ hang: true }], clock: rig.clock })
  await agent.attach(rig.door)
  assert.deepEqual(await rig.story('buildStarted'), ['buildStarted a #0 on cloud'])
  await using next = await rig.restart(changed)
  agent.drop('killed')
  await agent.attach(next.door)
  await next.settle()
  agent.finish()
  assert.deepEqual(await next.story('buildFinished'), ['buildFinished a #0 on cloud success'])
})

test('a latent slave is tried again after its quarantine, also when the clock was set back meanwhile', async () => {
  const engine = createScriptedEngine()
  engine.answer = 'refused'
  const cloud = slave({ name: 'cloud', latent: { engine: 'rig/engine', settings: {} } })
  await using rig = await createRig({
    slaves: [cloud],
    builders: [make('a', { slaves: ['cloud'] })],
    transports: [engine.plugin()],
  })
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'try it' }, 'test')
  await rig.settle()
  assert.equal(engine.instances.size, 0)
  engine.answer = 'taken'
  const { now } = rig.clock
  Object.assign(rig.clock, { now: () => now() - 10 })
  for (let i = 0; i < 40; i++) await rig.clock.advance(1000)
  await rig.settle()
  assert.equal(engine.instances.size, 1)
})

test('a step that waits over a restart for what it triggered ends with it, though the scheduler is gone', async () => {
  const steps = buildFactory([trigger({ schedulerNames: ['child'], waitForFinish: true })])
  const options = (schedulers: NonNullable<RigOptions['schedulers']>): RigOptions =>
    config({ builders: [make('parent', { factory: steps }), make('kid', { slaves: ['bot-2'] })], schedulers })
  const rig = await createRig(options([triggerable({ name: 'child', builders: ['kid'] })]))
  const one = await rig.slave('bot-1')
  const two = await rig.slave('bot-2', [{ hang: true }])
  await rig.master.force({ builder: 'parent', who: 'jane', reason: 'try it' }, 'test')
  await rig.settle()
  assert.deepEqual(await rig.story('buildStarted'), ['buildStarted parent #0 on bot-1', 'buildStarted kid #0 on bot-2'])
  const without = config({ builders: [make('parent'), make('kid', { slaves: ['bot-2'] })] })
  await rig.reconfigure(without)
  await using next = await rig.restart(without)
  await one.attach(next.door)
  await two.attach(next.door)
  await next.settle()
  two.finish()
  assert.deepEqual((await next.story('buildFinished', 'buildsetCreated')).toSorted(), [
    'buildFinished kid #0 on bot-2 success',
    'buildFinished parent #0 on bot-1 success',
  ])
})

test('properties with names of the language arrive as they are', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot-1')
  const properties = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": "x", "toString": [1]}')
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'try it', properties }, 'test')
  await rig.settle()
  const build = await rig.build('a', 0)
  assert.equal(build.result, 'success')
  const own = Object.entries(build.properties).filter(([name]) => Object.hasOwn(properties, name))
  assert.deepEqual(
    own.map(([name, { value }]) => [name, value]),
    Object.entries(properties),
  )
})

test('one that waits after a lost slave says until when, whoever goes before it', async () => {
  await using rig = await createRig(
    config({ builders: [make('a', { slaves: ['bot-1'], mergeRequests: false })], maxTries: 9 }),
  )
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'one' }, 'test')
  for (let i = 0; i < 3; i++) {
    const bot = await rig.slave('bot-1', [{ hang: true }], { resumable: false })
    await rig.settle()
    await rig.clock.advance(5000)
    await rig.settle()
    bot.drop('gone')
    await rig.settle()
  }
  await rig.slave('bot-1', [{ hang: true }])
  await rig.settle()
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'two' }, 'test')
  await rig.settle()
  assert.equal(await rig.master.query.why(2), undefined, 'it builds')
  assert.deepEqual(await rig.master.query.why(1), {
    code: 'retry-delay',
    text: 'its slave was lost; next try at 2001-09-09T01:46:57.000Z',
  })
})

test('a builder is tried again when the store could not be read', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot-1')
  const count = failingReads(rig, 'requests', 3)
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'try it' }, 'test')
  for (let second = 0; second < 5; second++) await rig.clock.advance(1000)
  assert.equal(count.left, 0)
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished a #0 on bot-1 success'])
})

test('builders in an order of the config are tried again when the store could not be read', async () => {
  const builders = [make('a'), make('b', { slaves: ['bot-2'] })]
  await using rig = await createRig(config({ builders, prioritizeBuilders: (all) => all }))
  const count = failingReads(rig, 'requests', 3)
  for (const { name } of builders) await rig.master.force({ builder: name, who: 'jane', reason: 'try it' }, 'test')
  await rig.settle()
  await rig.slave('bot-1')
  await rig.slave('bot-2')
  for (let second = 0; second < 5; second++) await rig.clock.advance(1000)
  assert.equal(count.left, 0)
  assert.equal((await rig.story('buildFinished')).length, 2)
})

test('a config is in force though the missing clock of its new slave cannot be stored at once, and it is missed later', async () => {
  const rule = { missingTimeout: '2m', notifyOnMissing: 'ann@example.org' } as const
  const options = config({ slaves: [...bots, slave({ name: 'bot-3', password: 'x', ...rule })] })
  await using rig = await createRig(config())
  failing(rig, 'beginAbsences', 1)
  await rig.reconfigure({ ...options, builders: [make('a'), make('b')] })
  assert.ok(await rig.master.query.builder('b'))
  for (let minute = 0; minute < 5; minute++) await rig.clock.advance(60_000)
  assert.deepEqual(await rig.story('slaveMissing'), ['slaveMissing on bot-3'])
})

test('a restored hold is shown with the capacity of the config, whether a build or a step has it', async () => {
  const tape = masterLock('tape', { maxCount: 4 })
  const cpu = slaveLock('cpu', { maxCount: 2, maxCountForSlave: { 'bot-1': 3 } })
  const factory = buildFactory([sh({ command: 'make', locks: [cpu.access('counting')] })])
  const rig = await createRig(config({ builders: [make('a', { factory, locks: [tape.access('counting')] })] }))
  await rig.slave('bot-1', [{ hang: true }])
  await rig.master.force({ builder: 'a', who: 'jane', reason: 'try it' }, 'test')
  await rig.settle()
  await using next = await rig.restart()
  const shown = (await next.master.query.locks()).map(({ name, capacity, holders }) => [name, capacity, holders.length])
  assert.deepEqual(shown, [
    ['cpu@bot-1', 3, 1],
    ['tape', 4, 1],
  ])
})
