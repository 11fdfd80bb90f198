import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, CiError, definePlugin, defineStep, masterLock, secret, slave } from 'boltbot/plugin-sdk'
import { failing } from '../rig/failing.ts'
import { each, ends, sh } from '../rig/parts.ts'
import { createRig, type RigOptions } from '../rig/rig.ts'

const full = (over: Partial<Parameters<typeof builder>[0]> = {}) =>
  builder({ name: 'full', slaves: ['bot-1'], factory: buildFactory([sh({ command: 'make' })]), ...over })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: [slave({ name: 'bot-1', password: 'x' })],
  builders: [full()],
  schedulers: [each({ builders: ['full'] })],
  ...over,
})
const force = { builder: 'full', who: 'jane', reason: 'try it' }

test('a build whose end cannot be stored keeps its slave and tries again until it can', async () => {
  await using rig = await createRig(config({ builders: [full({ mergeRequests: false })] }))
  await rig.slave('bot-1')
  failing(rig, 'finishBuild', 2)
  await rig.master.force(force, 'test')
  await rig.master.force(force, 'test')
  assert.deepEqual(await rig.story('buildStarted', 'buildFinished'), ['buildStarted full #0 on bot-1'])
  await rig.clock.advance('10s')
  assert.deepEqual(await rig.story('buildFinished'), [
    'buildFinished full #0 on bot-1 success',
    'buildFinished full #1 on bot-1 success',
  ])
})

test('a step that cannot be stored ends the build with an exception, and no step runs unseen after it', async () => {
  const steps = [sh({ command: 'make' }), sh({ command: 'never' })]
  await using rig = await createRig(config({ builders: [full({ factory: buildFactory(steps) })] }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  failing(rig, 'startStep', 1)
  await rig.master.force(force, 'test')
  await rig.settle()
  assert.deepEqual(bot.commands(), [])
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot-1 exception'])
  assert.match((await rig.build('full', 0)).text.join(), /disk full/)
})

test('a claim that cannot be stored leaves the request waiting, and it is tried again', async () => {
  await using rig = await createRig(config())
  failing(rig, 'startBuild', 1)
  await rig.slave('bot-1')
  await rig.master.force(force, 'test')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot-1 success'])
})

test('builders that wake at once do not overfill a slave, though choices are awaited', async () => {
  const builders = ['a', 'b', 'c', 'd'].map((name) => full({ name }))
  const slow = definePlugin({
    name: 'slow choice',
    kind: 'service',
    apply(host) {
      host.tap('chooseSlave', async ({ slaves }) => {
        await host.clock.sleep(5)
        return slaves[0]
      })
    },
  })
  await using rig = await createRig(
    config({
      slaves: [slave({ name: 'bot-1', password: 'x', maxBuilds: 1 })],
      builders,
      schedulers: [],
      plugins: [slow()],
    }),
  )
  for (const { name } of builders) await rig.master.force({ ...force, builder: name }, 'test')
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  for (let finished = 1; finished <= 4; finished++) {
    await rig.clock.advance('1s')
    assert.equal((await rig.story('buildStarted')).length, finished)
    bot.finish()
  }
  await rig.clock.advance('1s')
  assert.equal((await rig.story('buildFinished')).length, 4)
})

test('locks of builds and steps are stored while they are held', async () => {
  const [database, network] = [masterLock('database'), masterLock('network', { maxCount: 3 })]
  const steps = [sh({ command: 'make', locks: [database.access('exclusive')] }), ends({ result: 'success' })]
  const locked = full({ locks: [network.access('counting')], factory: buildFactory(steps) })
  await using rig = await createRig(config({ builders: [locked] }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await rig.master.force(force, 'test')
  await rig.settle()
  const holds = async () => {
    const rows = await rig.store.db.selectFrom('lock_holds').select(['step', 'lock', 'slave', 'mode']).execute()
    return rows.map((row) => ({ ...row }))
  }
  assert.deepEqual(await holds(), [
    { step: -1, lock: 'network', slave: 'bot-1', mode: 'counting' },
    { step: 0, lock: 'database', slave: 'bot-1', mode: 'exclusive' },
  ])
  bot.finish()
  await rig.settle()
  assert.deepEqual(await holds(), [])
})

test('a guard refuses whoever forces, stops, cancels, hurries, pauses, reconfigures or shuts down', async () => {
  const refusal = (what: string) => new CiError({ code: 'TEST_REFUSED', message: `Not ${what} by you.` })
  const strict = definePlugin({
    name: 'strict',
    kind: 'service',
    apply(host) {
      host.tap('guardAction', ({ action, who }) => {
        if (who !== 'boss') throw refusal(action)
      })
    },
  })
  const order = config({ plugins: [strict()] })
  await using rig = await createRig(order)
  const refused = (message: string) => ({ code: 'TEST_REFUSED', message: `Not ${message} by you.` })
  const by = { who: 'jane', via: 'test' }
  await assert.rejects(rig.master.force(force, 'test'), refused('force'))
  await assert.rejects(rig.master.stopBuild({ build: 1, who: 'jane', reason: '' }, 'test'), refused('stop'))
  await assert.rejects(rig.master.cancel({ request: 1, who: 'jane', reason: '' }, 'test'), refused('cancel'))
  await assert.rejects(rig.master.runNow('each', by), refused('force'))
  const onSlave = { slave: 'bot-1', who: 'jane', reason: '' }
  await assert.rejects(rig.master.pauseSlave(onSlave, 'test'), refused('pause'))
  await assert.rejects(rig.master.resumeSlave(onSlave, 'test'), refused('pause'))
  await assert.rejects(rig.master.releaseSlave(onSlave, 'test'), refused('pause'))
  await assert.rejects(rig.master.slaveAway({ ...onSlave, ms: 1000 }, 'test'), refused('pause'))
  await assert.rejects(rig.master.mayShutDown(by, 'tired'), refused('shutdown'))
  await rig.master.force({ ...force, who: 'boss' }, 'test')
})

test('the secrets a step used are told to the slave, so that it hides them in what it says itself', async () => {
  const login = defineStep({
    name: 'login',
    async run(context) {
      await context.run({ kind: 'shell', command: ['login', context.render<string>(secret('key'))] })
      return { result: 'success' }
    },
  })
  await using rig = await createRig(config({ builders: [full({ factory: buildFactory([login()]) })] }))
  const bot = await rig.slave('bot-1')
  await rig.master.force(force, 'test')
  await rig.settle()
  const [run] = bot.asked.filter((one) => one.what === 'run')
  assert.deepEqual(run?.what === 'run' && run.command.kind === 'shell' && run.command.secrets, ['secret key'])
})

test('what a step names as secret of a command is hidden in all logs from then on', async () => {
  const login = defineStep({
    name: 'login',
    async run(context) {
      await context.run({ kind: 'shell', command: ['login', 'open sesame'], secrets: ['open sesame'] })
      await context.run({ kind: 'shell', command: ['show'] })
      return { result: 'success' }
    },
  })
  await using rig = await createRig(config({ builders: [full({ factory: buildFactory([login()]) })] }))
  await rig.slave('bot-1', [{ match: 'show', output: 'It was "open sesame".' }])
  await rig.master.force(force, 'test')
  await rig.settle()
  const pieces = await rig.logStore.read({ build: 1, step: 0, log: 'stdio', epoch: 1 }, 0)
  assert.equal(pieces.map(({ data }) => new TextDecoder().decode(data)).join(''), 'It was "***********".')
})
