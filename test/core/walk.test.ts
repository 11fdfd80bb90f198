import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, masterLock, slave } from 'boltbot/plugin-sdk'
import { commit, each, ends, sh } from '../rig/parts.ts'
import { createRig, type RigOptions } from '../rig/rig.ts'

const bot1 = slave({ name: 'bot-1', password: 'x' })
const bot2 = slave({ name: 'bot-2', password: 'x' })
const full = (over: Partial<Parameters<typeof builder>[0]> = {}) =>
  builder({ name: 'full', slaves: ['bot-1', 'bot-2'], factory: buildFactory([sh({ command: 'make' })]), ...over })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: [bot1, bot2],
  builders: [full()],
  schedulers: [each({ builders: ['full'] })],
  ...over,
})
const force = { builder: 'full', who: 'jane', reason: 'try it' }

test('a change becomes a build, and the build knows its change, people and result', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot-1', [{ match: 'make', output: 'hello\n' }])
  await rig.master.submitChange(commit('r1'), 'test')
  assert.deepEqual(
    await rig.story(
      'changeAccepted',
      'buildsetCreated',
      'requestQueued',
      'buildStarted',
      'stepStarted',
      'stepFinished',
      'buildFinished',
      'buildsetFinished',
    ),
    [
      'changeAccepted r1',
      'buildsetCreated',
      'requestQueued full submitted',
      'buildStarted full #0 on bot-1',
      'stepStarted full #0 sh',
      'stepFinished full #0 sh success',
      'buildFinished full #0 on bot-1 success',
      'buildsetFinished success',
    ],
  )
  const build = await rig.build('full', 0)
  assert.deepEqual(build.blamelist, ['jane'])
  assert.equal(build.sourceStamp.revision, 'r1')
  assert.equal(build.properties.buildnumber?.value, 0)
  assert.equal(build.properties.slavename?.value, 'bot-1')
  assert.equal(await rig.master.query.logTail({ build: build.id, step: 0, log: 'stdio' }), 'hello\n')
})

test('a change that a source hands in while everything starts is not lost to a new scheduler', async () => {
  const eager = definePlugin({
    name: 'eager',
    kind: 'source',
    needs: ['changes'],
    apply() {},
    start: async (host) => void (await host.submitChange(commit('r1'))),
  })
  await using rig = await createRig(config({ sources: [eager()] }))
  assert.deepEqual(await rig.story('buildsetCreated'), ['buildsetCreated'])
})

test('the same change reported twice is built once', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot-1')
  await rig.master.submitChange(commit('r1'), 'poller')
  const again = await rig.master.submitChange(commit('r1'), 'webhook')
  assert.equal(again.duplicate, true)
  assert.equal((await rig.story('buildFinished')).length, 1)
})

test('a slave that cannot resume is lost at once: the request goes back in front and is built elsewhere', async () => {
  await using rig = await createRig(config({ builders: [full({ mergeRequests: false })] }))
  const first = await rig.slave('bot-1', [{ match: 'make', hang: true }], { resumable: false })
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  await rig.master.submitChange(commit('r2'), 'test')
  await rig.settle()
  first.drop('the cable was cut')
  await rig.settle()
  await rig.slave('bot-2')
  assert.deepEqual(await rig.story('buildStarted', 'buildFinished', 'requestQueued'), [
    'requestQueued full submitted',
    'buildStarted full #0 on bot-1',
    'requestQueued full submitted',
    'buildFinished full #0 on bot-1 retry',
    'requestQueued full retry',
    'buildStarted full #1 on bot-2',
    'buildFinished full #1 on bot-2 success',
    'buildStarted full #2 on bot-2',
    'buildFinished full #2 on bot-2 success',
  ])
  assert.equal((await rig.build('full', 1)).sourceStamp.revision, 'r1')
  assert.equal((await rig.build('full', 1)).epoch, 2)
})

test('a command outlives a broken link: not a byte is lost or doubled', async () => {
  await using rig = await createRig(config())
  const more = Promise.withResolvers<void>()
  const bot = await rig.slave('bot-1', [
    {
      match: 'make',
      async run({ print }) {
        await print('one\ntwo\n')
        await more.promise
        await print('three\n')
        return undefined
      },
    },
  ])
  await rig.master.force(force, 'test')
  await rig.settle()
  bot.drop('the cable was cut')
  more.resolve()
  await rig.settle()
  await bot.attach(rig.door)
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot-1 success'])
  const { id } = await rig.build('full', 0)
  assert.equal(await rig.master.query.logTail({ build: id, step: 0, log: 'stdio' }), 'one\ntwo\nthree\n')
})

test('a slave that does not come back within the lease loses its build', async () => {
  await using rig = await createRig(config({ buildLease: '30s' }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await rig.master.force(force, 'test')
  await rig.settle()
  bot.drop('gone')
  await rig.clock.advance('29s')
  assert.deepEqual(await rig.story('buildFinished'), [])
  await rig.clock.advance('2s')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot-1 retry'])
})

test('a slave that comes back late is told to drop the command', async () => {
  await using rig = await createRig(config({ buildLease: '30s', slaves: [bot1, bot2] }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await rig.master.force(force, 'test')
  await rig.settle()
  bot.drop('gone')
  await rig.clock.advance('31s')
  await rig.slave('bot-2')
  await bot.attach(rig.door)
  await rig.settle()
  assert.deepEqual(bot.held, [])
  assert.deepEqual(await rig.story('buildFinished'), [
    'buildFinished full #0 on bot-1 retry',
    'buildFinished full #1 on bot-2 success',
  ])
})

test('after three lost slaves the request is given up with an exception', async () => {
  await using rig = await createRig(config())
  for (let n = 0; n < 3; n++) {
    const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }], { resumable: false })
    if (n === 0) await rig.master.force(force, 'test')
    await rig.clock.advance('5m')
    bot.drop('again')
    await rig.settle()
  }
  assert.deepEqual(await rig.story('buildFinished', 'buildsetFinished'), [
    'buildFinished full #0 on bot-1 retry',
    'buildFinished full #1 on bot-1 retry',
    'buildFinished full #2 on bot-1 exception',
    'buildsetFinished exception',
  ])
  const { text } = await rig.build('full', 2)
  assert.equal(text.join(' '), 'slave lost 3 times, given up after #0 on bot-1, #1 on bot-1, #2 on bot-1')
  const told = rig.events.flatMap((one) => (one.name === 'buildFinished' && one.event.number === 2 ? [one.event] : []))
  assert.deepEqual(told[0]?.text, text)
})

test('a builder has one build on a slave at a time, and a waiting request says why', async () => {
  await using rig = await createRig(config({ builders: [full({ mergeRequests: false })] }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await rig.master.force(force, 'test')
  const second = await rig.master.force(force, 'test')
  await rig.master.force(force, 'test')
  await rig.settle()
  assert.deepEqual(await rig.story('buildStarted'), ['buildStarted full #0 on bot-1'])
  const whys = await rig.master.why()
  assert.deepEqual(
    whys.map(({ why }) => why?.text),
    [
      'slave bot-1 busy with full #0; slave bot-2 is not connected since 2001-09-09T01:46:40.000Z',
      '1 request is before it; the first: slave bot-1 busy with full #0; slave bot-2 is not connected since 2001-09-09T01:46:40.000Z',
    ],
  )
  assert.equal(whys[0]?.request.id, second.requests[0])
  bot.finish()
  assert.deepEqual(await rig.story('buildStarted'), ['buildStarted full #0 on bot-1', 'buildStarted full #1 on bot-1'])
})

test('maxBuilds bounds the builds of a slave over all builders', async () => {
  const builders = ['a', 'b', 'c'].map((name) => full({ name, slaves: ['bot-1'] }))
  await using rig = await createRig(
    config({ slaves: [slave({ name: 'bot-1', password: 'x', maxBuilds: 2 })], builders, schedulers: [] }),
  )
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  for (const { name } of builders) await rig.master.force({ ...force, builder: name }, 'test')
  assert.equal((await rig.story('buildStarted')).length, 2)
  bot.finish()
  assert.equal((await rig.story('buildStarted')).length, 3)
})

test('a slave that does not answer its ping is dropped, and no build number is burned', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1')
  bot.mute()
  await rig.clock.advance('2s')
  await rig.master.force(force, 'test')
  await rig.clock.advance('11s')
  assert.deepEqual(await rig.story('buildStarted', 'slaveLost'), ['slaveLost on bot-1'])
  await rig.slave('bot-2')
  assert.deepEqual(await rig.story('buildStarted'), ['buildStarted full #0 on bot-2'])
})

test('waiting requests for the same are built together, and all of them end with the build', async () => {
  await using rig = await createRig(config())
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.master.submitChange(commit('r2', { who: 'joe' }), 'test')
  await rig.master.submitChange(commit('r3', { branch: 'other' }), 'test')
  await rig.slave('bot-1')
  assert.deepEqual(await rig.story('buildFinished', 'buildsetFinished'), [
    'buildFinished full #0 on bot-1 success',
    'buildsetFinished success',
    'buildsetFinished success',
    'buildFinished full #1 on bot-1 success',
    'buildsetFinished success',
  ])
  const build = await rig.build('full', 0)
  assert.deepEqual(build.blamelist, ['jane', 'joe'])
  assert.equal(build.sourceStamp.revision, 'r2')
  assert.equal(build.requests.length, 2)
})

test('a stopped build is cancelled; steps marked alwaysRun still run', async () => {
  const steps = [sh({ command: 'make' }), sh({ command: 'never' }), sh({ command: 'clean up', alwaysRun: true })]
  await using rig = await createRig(config({ builders: [full({ factory: buildFactory(steps) })] }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await rig.master.force(force, 'test')
  await rig.settle()
  await rig.master.stopBuild({ build: (await rig.build('full', 0)).id, who: 'joe', reason: 'wrong branch' }, 'test')
  assert.deepEqual(await rig.story('stepFinished', 'buildFinished'), [
    'stepFinished full #0 sh cancelled',
    'stepFinished full #0 sh_3 success',
    'buildFinished full #0 on bot-1 cancelled',
  ])
  assert.deepEqual(bot.commands(), ['make', 'clean up'])
  assert.match((await rig.build('full', 0)).text.join(' '), /stopped by "joe": wrong branch/)
})

test('a master that stops does not wait for the alwaysRun step of a stopped build', async () => {
  const steps = [sh({ command: 'make' }), sh({ command: 'clean up', alwaysRun: true })]
  const rig = await createRig(config({ builders: [full({ factory: buildFactory(steps) })] }))
  await rig.slave('bot-1', [{ hang: true }])
  await rig.master.force(force, 'test')
  await rig.settle()
  await rig.master.stopBuild({ build: (await rig.build('full', 0)).id, who: 'joe', reason: 'wrong branch' }, 'test')
  assert.deepEqual(await rig.story('stepStarted'), ['stepStarted full #0 sh', 'stepStarted full #0 sh_2'])
  await rig[Symbol.asyncDispose]()
})

const flagCases = [
  { name: 'a failed step fails the build by default', steps: [ends({ result: 'failure' })], result: 'failure' },
  {
    name: 'without flunkOnFailure it does not',
    steps: [ends({ result: 'failure', flunkOnFailure: false })],
    result: 'success',
  },
  {
    name: 'with warnOnFailure it warns',
    steps: [ends({ result: 'failure', flunkOnFailure: false, warnOnFailure: true })],
    result: 'warnings',
  },
  { name: 'warnings pass by default', steps: [ends({ result: 'warnings' })], result: 'success' },
  {
    name: 'with warnOnWarnings they warn',
    steps: [ends({ result: 'warnings', warnOnWarnings: true })],
    result: 'warnings',
  },
  {
    name: 'with flunkOnWarnings they fail',
    steps: [ends({ result: 'warnings', flunkOnWarnings: true })],
    result: 'failure',
  },
  { name: 'a skipped step changes nothing', steps: [ends({ result: 'failure', doStepIf: false })], result: 'success' },
  {
    name: 'steps after a failure run',
    steps: [ends({ result: 'failure' }), ends({ result: 'success' })],
    result: 'failure',
    ran: 2,
  },
  {
    name: 'haltOnFailure ends the build, but for alwaysRun steps',
    steps: [
      ends({ result: 'failure', haltOnFailure: true }),
      ends({ result: 'success' }),
      ends({ result: 'success', alwaysRun: true }),
    ],
    result: 'failure',
    ran: 2,
  },
] as const

for (const { name, steps, result, ...more } of flagCases) {
  test(`flags: ${name}`, async () => {
    await using rig = await createRig(config({ builders: [full({ factory: buildFactory(steps) })] }))
    await rig.slave('bot-1')
    await rig.master.force(force, 'test')
    assert.deepEqual(await rig.story('buildFinished'), [`buildFinished full #0 on bot-1 ${result}`])
    if ('ran' in more) assert.equal((await rig.story('stepFinished')).length, more.ran)
  })
}

test('a step that throws is an exception, with the error in its log', async () => {
  const broken = sh({
    command: 'make',
    doStepIf: () => {
      throw new Error('no such property')
    },
  })
  await using rig = await createRig(config({ builders: [full({ factory: buildFactory([broken]) })] }))
  await rig.slave('bot-1')
  await rig.master.force(force, 'test')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot-1 exception'])
  assert.match((await rig.build('full', 0)).steps[0]!.text, /no such property/)
})

test('builds that want one exclusive lock run one after the other, and say who holds it', async () => {
  const database = masterLock('database')
  const builders = ['a', 'b'].map((name) => full({ name, locks: [database.access('exclusive')] }))
  await using rig = await createRig(config({ builders, schedulers: [] }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await rig.master.force({ ...force, builder: 'a' }, 'test')
  await rig.settle()
  await rig.master.force({ ...force, builder: 'b' }, 'test')
  await rig.settle()
  assert.deepEqual(
    (await rig.master.why()).map(({ why }) => why?.text),
    ['lock database held by a #0'],
  )
  bot.finish()
  assert.deepEqual(await rig.story('buildStarted', 'buildFinished'), [
    'buildStarted a #0 on bot-1',
    'buildFinished a #0 on bot-1 success',
    'buildStarted b #0 on bot-1',
  ])
})

test('a second connection of a slave that is alive is refused, one of a dead slave is not', async () => {
  await using rig = await createRig(config())
  const first = await rig.slave('bot-1')
  await assert.rejects(rig.slave('bot-1'), { code: 'BOLT_SLAVES_DUPLICATE' })
  first.mute()
  const attached = rig.slave('bot-1')
  await rig.clock.advance('11s')
  await attached
  assert.deepEqual(await rig.story('slaveConnected', 'slaveLost'), [
    'slaveConnected on bot-1',
    'slaveLost on bot-1',
    'slaveConnected on bot-1',
  ])
})

test('an unknown slave, builder or scheduler is refused with what is known', async () => {
  await using rig = await createRig(config())
  await assert.rejects(rig.slave('bot-3'), { code: 'BOLT_SLAVES_UNKNOWN' })
  await assert.rejects(rig.master.force({ ...force, builder: 'fulll' }, 'test'), {
    message: 'There is no builder "fulll". Did you mean "full"? Known: "full".',
  })
  await assert.rejects(rig.master.runNow('eahc', { who: 'jane', via: 'test' }), { code: 'BOLT_SCHEDULING_UNKNOWN' })
})

test('a forced build without an attached slave is queued with a warning', async () => {
  await using rig = await createRig(config())
  const { warning } = await rig.master.force(force, 'test')
  assert.match(warning ?? '', /no slave of "full" is attached/)
})

test('a malformed change is rejected with every reason', async () => {
  await using rig = await createRig(config())
  const bad = { who: 7, files: 'a.c', comments: 'x' } as never
  await assert.rejects(rig.master.submitChange(bad, 'test'), {
    message: 'A change from "test" is malformed: who must be text, not number; files must be a list, not string.',
  })
})

test('a cancelled request is not built, and its buildset ends', async () => {
  await using rig = await createRig(config())
  const { requests } = await rig.master.force(force, 'test')
  await rig.master.cancel({ request: requests[0]!, who: 'joe', reason: 'not needed' }, 'test')
  await rig.slave('bot-1')
  assert.deepEqual(await rig.story('requestCancelled', 'buildsetFinished', 'buildStarted'), [
    'requestCancelled full',
    'buildsetFinished cancelled',
  ])
  await assert.rejects(rig.master.cancel({ request: requests[0]!, who: 'joe', reason: '' }, 'test'), {
    code: 'BOLT_QUEUE_NOT_WAITING',
  })
})

test('what waits survives a kill of the master, and what ran on a slave that keeps nothing is built again', async () => {
  const rig = await createRig(config({ builders: [full({ mergeRequests: false })] }))
  await rig.slave('bot-1', [{ match: 'make', hang: true }], { resumable: false })
  await rig.master.force(force, 'test')
  await rig.master.force(force, 'test')
  await rig.settle()
  await using next = await rig.restart()
  await next.slave('bot-2')
  assert.deepEqual(await next.story('buildFinished'), [
    'buildFinished full #0 on bot-1 retry',
    'buildFinished full #1 on bot-2 success',
    'buildFinished full #2 on bot-2 success',
  ])
})

test('a change that came before a kill reaches the scheduler after it, once', async () => {
  const rig = await createRig(config())
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  const next = await rig.restart()
  await next.slave('bot-1')
  await next.settle()
  await using last = await next.restart()
  assert.deepEqual(await last.story('buildsetCreated'), [])
  assert.equal((await last.master.query.builds()).length, 1)
})

test('a running build finishes under the config it began with', async () => {
  await using rig = await createRig(config())
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  await rig.master.force(force, 'test')
  await rig.settle()
  await rig.reconfigure(config({ builders: [full({ factory: buildFactory([sh({ command: 'ninja' })]) })] }))
  bot.finish()
  await rig.settle()
  await rig.master.force(force, 'test')
  await rig.settle()
  assert.deepEqual(bot.commands(), ['make', 'ninja'])
})

test('a slave that is gone from the config is disconnected', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot-2')
  await rig.reconfigure(config({ slaves: [bot1], builders: [full({ slaves: ['bot-1'] })] }))
  assert.deepEqual(await rig.story('slaveLost'), ['slaveLost on bot-2'])
})

test('a full disk while logging ends the build with an exception and the reason; the master lives', async () => {
  await using rig = await createRig(config())
  const { append } = rig.logStore
  Object.assign(rig.logStore, { append: () => Promise.reject(new Error('no space left on device')) })
  await rig.slave('bot-1', [{ match: 'make', output: 'hello\n' }])
  await rig.master.force(force, 'test')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot-1 exception'])
  assert.match((await rig.build('full', 0)).steps[0]!.text, /no space left on device/)
  Object.assign(rig.logStore, { append })
  await rig.master.force(force, 'test')
  assert.deepEqual((await rig.story('buildFinished')).at(-1), 'buildFinished full #1 on bot-1 success')
})
