import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builder, buildFactory, definePlugin, type SchedulerRules, slave } from 'boltbot/plugin-sdk'
import { dependent, nightly, scheduler, tryJobdir } from 'boltbot/plugins/schedulers'
import { irc } from 'boltbot/plugins/status/irc'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { compareBuilds, replayChanges } from '../../core/plan/replay.ts'
import { changeOf } from '../plugins/schedulers/follow.ts'
import { commit, sh } from '../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../rig/rig.ts'

const full = (over: Partial<Parameters<typeof builder>[0]> = {}) =>
  builder({ name: 'full', slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]), ...over })
const tests = (over: object = {}) =>
  scheduler({ name: 'tests', branch: 'main', treeStableTimer: '60s', builders: ['full'], ...over })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: [slave({ name: 'bot', password: 'x' })],
  builders: [full()],
  schedulers: [tests()],
  ...over,
})
const changes = async (rig: Rig, count: number) => {
  for (let i = 1; i <= count; i++) {
    await rig.master.submitChange({ ...commit(`r${i}`), files: [i % 2 === 0 ? 'docs/x' : 'a.c'] }, 'test')
    await rig.clock.advance(90_000)
    await rig.settle()
  }
}
const told = (builds: readonly { builder: string; revision: string | null; changes: readonly number[] }[]) =>
  builds.map((build) => `${build.builder} ${build.revision} ${build.changes.join('+')}`)

describe('a plan', () => {
  it('says that nothing changes when nothing does, and changes nothing', async () => {
    await using rig = await createRig(config())
    await changes(rig, 3)
    const before = await rig.story()
    const plan = await rig.plan(config(), 100)
    assert.deepEqual(plan, {
      changed: [],
      plugins: [],
      queue: [],
      schedulers: [],
      replay: {
        changes: 3,
        same: 3,
        fewer: [],
        more: [],
        problems: [],
        tellings: { same: 0, fewer: [], more: [] },
      },
    })
    assert.deepEqual(await rig.story(), before)
  })

  it('replays changes against both configs and names the builds that differ', async () => {
    await using rig = await createRig(config())
    await changes(rig, 4)
    const code = { fileIsImportant: ({ files }: { files: readonly string[] }) => files.includes('a.c') }
    const packages = dependent({ name: 'packages', upstream: 'tests', builders: ['tarball'] })
    const next = config({
      builders: [full(), full({ name: 'tarball', builddir: 't' })],
      schedulers: [tests(code), packages],
    })
    const { replay } = await rig.plan(next, 100)
    assert.deepEqual(told(replay.fewer), ['full r2 2', 'full r3 3', 'full r4 4'])
    assert.deepEqual(told(replay.more), ['tarball r1 1', 'full r3 2+3', 'tarball r3 2+3'])
    assert.equal(replay.same, 1)
    const last = await rig.plan(next, 1)
    assert.deepEqual([last.replay.changes, told(last.replay.fewer)], [1, ['full r4 4']])
  })

  it('says what becomes of the queue, of running builds and of what schedulers wait for', async () => {
    await using rig = await createRig(
      config({
        schedulers: [tests({ treeStableTimer: '1h' }), nightly({ name: 'night', hour: 3, builders: ['full'] })],
      }),
    )
    const bot = await rig.slave('bot', [{ match: 'make', hang: true }])
    for (const branch of ['a', 'b', 'c'])
      await rig.master.force({ builder: 'full', who: 'jane', reason: 'x', branch }, 'test')
    await rig.master.submitChange(commit('r1'), 'test')
    await rig.settle()
    const gone = await rig.plan(config({ builders: [full({ name: 'other' })], schedulers: [] }), 0)
    assert.deepEqual(gone.queue, [
      '2 requests of "full" wait until the builder is back: it is not in the config',
      'full #0 runs on to its end as it began',
    ])
    assert.match(
      gone.schedulers.join('\n'),
      /^"tests" goes, and forgets what it waits for: tree not stable until .*\n"night" goes/,
    )
    assert.deepEqual(gone.plugins, ['stop "tests"', 'stop "night"'])
    const changed = await rig.plan(config({ builders: [full({ category: 'x' })], schedulers: [tests()] }), 0)
    assert.deepEqual(changed.changed, [
      'builder "full" changed: category',
      'plugin "night" removed',
      'plugin "tests" changed: options',
    ])
    assert.deepEqual(changed.queue[0], '2 requests of "full" will be built as the new config says')
    assert.match(changed.schedulers[0]!, /^"tests" goes on from what it waits for/)
    bot.drop('end')
  })

  it('reports a builder that was renamed as such', async () => {
    await using rig = await createRig(config())
    const { changed } = await rig.plan(config({ builders: [full({ name: 'whole' })], schedulers: [] }), 0)
    assert.deepEqual(changed, [
      'builder "full" renamed to "whole": its history and its queue stay with the old name',
      'plugin "tests" removed',
    ])
  })

  it('opens nothing of the schedulers it asks, and tells which of them fail', async () => {
    const broken = definePlugin({
      name: 'broken',
      kind: 'scheduler',
      needs: ['schedulers'],
      apply(host, options: { how: 'apply' | 'decide' }) {
        if (options.how === 'apply') throw new Error('not today')
        const decide: SchedulerRules['decide'] = () => {
          throw new Error('no idea')
        }
        host.registerScheduler({ name: 'broken', builders: ['full'], initial: null, decide })
      },
    })
    await using rig = await createRig(config())
    await changes(rig, 1)
    const next = config({
      schedulers: [
        broken({ how: 'apply', id: 'b1' }),
        broken({ how: 'decide', id: 'b2' }),
        tryJobdir({ name: 't', jobdir: '/nowhere', builders: ['full'] }),
      ],
    })
    const { replay } = await rig.plan(next, 10)
    assert.deepEqual(replay.problems, [
      'Scheduler "b1" could not be asked: not today',
      'Scheduler "broken" failed: no idea',
    ])
    assert.deepEqual(told(replay.fewer), ['full r1 1'])
  })

  it('names the mails and lines of chat that would differ for builds there were', async () => {
    const lamp = definePlugin({
      name: 'lamp',
      kind: 'status',
      apply: () => {},
      tells: async (_, { on }: { on: readonly string[] }, { event, before }) => {
        if (on.includes('nobody')) throw new Error('the lamp is out')
        return on.includes(event.result) ? [`lamp: ${before?.result ?? 'nothing'} then ${event.result}`] : []
      },
    })
    await using rig = await createRig(config({ status: [lamp({ on: ['success', 'failure'] })] }))
    await rig.slave('bot', [{ times: 1 }, { result: 2 }])
    await changes(rig, 3)
    assert.deepEqual(await rig.story('buildFinished'), [
      'buildFinished full #0 on bot success',
      'buildFinished full #1 on bot failure',
      'buildFinished full #2 on bot failure',
    ])
    const said = async (next: Partial<RigOptions>) => {
      const { tellings, problems } = (await rig.plan(config(next), 100)).replay
      const lines = (list: typeof tellings.more) => list.map(({ build, plugin, text }) => `${build} ${plugin}: ${text}`)
      return { same: tellings.same, fewer: lines(tellings.fewer), more: lines(tellings.more), problems }
    }
    const mail = mailNotifier({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org', mode: 'problem' })
    const bots = irc({ host: 'irc.example.org', nick: 'bot', channels: ['#a', { name: '#b', notify: ['failure'] }] })
    assert.deepEqual(
      await said({ status: [lamp({ on: ['failure'] }), mail, bots], people: { mailDomain: 'example.org' } }),
      {
        same: 2,
        fewer: ['full #0 lamp: lamp: nothing then success'],
        more: [
          'full #1 status/mail: mail to jane@example.org: [first failure] Rig: full (main), #1',
          'full #1 status/irc: irc.example.org #a: build full #1 of main has ended: failure (failed sh). Changes by jane.',
          'full #1 status/irc: irc.example.org #b: build full #1 of main has ended: failure (failed sh). Changes by jane.',
          'full #2 status/irc: irc.example.org #b: build full #2 of main has ended: failure (failed sh), still red. Changes by jane.',
        ],
        problems: [],
      },
    )
    // What is not built any more is not told of.
    const gone = await said({
      builders: [full({ name: 'other' })],
      schedulers: [],
      status: [lamp({ on: ['failure'] })],
    })
    assert.deepEqual([gone.same, gone.fewer.length], [0, 3])
    assert.deepEqual((await said({ status: [lamp({ on: ['nobody'] })] })).problems, [
      '"lamp" could not say what it would tell: the lamp is out',
    ])
  })
})

describe('a replay', () => {
  it('wakes schedulers in the order of time, and ends though one wakes for ever', async () => {
    const order: string[] = []
    const waker = (name: string, at: number): SchedulerRules => ({
      name,
      builders: ['full'],
      initial: null,
      decide(input, state, now) {
        order.push(`${name} ${input.kind} ${now}`)
        return { state, wakeAt: now < at ? at : null }
      },
    })
    await replayChanges(
      [waker('late', 20), waker('early', 10)],
      [changeOf({ id: 1, when: 0 }), changeOf({ id: 2, when: 50 })],
    )
    assert.deepEqual(order.slice(4, 6), ['early timer 10', 'late timer 20'])
    const mad: SchedulerRules = {
      name: 'mad',
      builders: ['full'],
      initial: null,
      decide: (_, state, now) => ({ state, wakeAt: now }),
    }
    assert.deepEqual((await replayChanges([mad], [changeOf({ id: 1, when: 0 })])).builds, [])
  })

  it('counts the same build of another scheduler as the same, and twice as twice', () => {
    const build = (scheduler: string) => ({ scheduler, builder: 'full', branch: 'main', revision: 'r1', changes: [1] })
    assert.deepEqual(compareBuilds([build('a')], [build('b')]), { fewer: [], more: [], same: 1 })
    assert.equal(compareBuilds([build('a')], [build('a'), build('a')]).more.length, 1)
  })
})

describe('a reconfigure', () => {
  it('touches nothing that did not change: links, timers, states, running builds, counters', async () => {
    const calls: string[] = []
    const watcher = definePlugin({
      name: 'watcher',
      kind: 'status',
      apply: () => void calls.push('apply'),
      start() {
        calls.push('start')
        return { [Symbol.dispose]: () => void calls.push('stop') }
      },
    })
    const shape = (over: Partial<RigOptions> = {}) =>
      config({ schedulers: [tests({ treeStableTimer: '1h' })], status: [watcher()], ...over })
    await using rig = await createRig(shape())
    const bot = await rig.slave('bot', [{ match: 'make', hang: true }])
    await rig.master.force({ builder: 'full', who: 'jane', reason: 'x' }, 'test')
    await rig.master.submitChange(commit('r1'), 'test')
    await rig.settle()
    const [before] = await rig.master.query.schedulers()
    const other = builder({ name: 'other', slaves: ['bot'], factory: buildFactory([sh({ command: 'x' })]) })
    await rig.reconfigure(shape({ builders: [full(), other] }))
    await rig.settle()
    assert.deepEqual(await rig.story('slaveLost', 'slaveConnected'), ['slaveConnected on bot'])
    assert.deepEqual((await rig.master.query.schedulers())[0], before)
    assert.deepEqual(calls, ['apply', 'start'])
    assert.equal((await rig.build('full', 0)).result, null)
    bot.finish()
    await rig.settle()
    await rig.clock.advance(3_600_000)
    await rig.settle()
    assert.deepEqual(await rig.story('buildStarted'), ['buildStarted full #0 on bot', 'buildStarted full #1 on bot'])
    assert.deepEqual((await rig.build('full', 1)).sourceStamp.revision, 'r1')
  })

  it('of a builder keeps its history and queue; what runs ends under the old definition, what waits is built under the new', async () => {
    const make = (command: string) =>
      config({
        schedulers: [],
        builders: [full({ factory: buildFactory([sh({ command: `${command} 1` }), sh({ command: `${command} 2` })]) })],
      })
    await using rig = await createRig(make('old'))
    const bot = await rig.slave('bot', [{ match: 'old 1', hang: true }])
    for (const branch of ['a', 'b'])
      await rig.master.force({ builder: 'full', who: 'jane', reason: 'x', branch }, 'test')
    await rig.settle()
    await rig.reconfigure(make('new'))
    bot.finish()
    await rig.settle()
    const texts = async (number: number) => (await rig.build('full', number)).steps.map(({ text }) => text)
    assert.deepEqual(
      [await texts(0), await texts(1)],
      [
        ['old 1', 'old 2'],
        ['new 1', 'new 2'],
      ],
    )
  })

  it('that fails goes back to the old config whole, and says why', async () => {
    const failing = definePlugin({
      name: 'failing',
      kind: 'service',
      apply() {},
      start: () => Promise.reject(new Error('the port is taken')),
    })
    await using rig = await createRig(config())
    await rig.slave('bot')
    const next = config({ builders: [full({ name: 'other' })], schedulers: [], plugins: [failing()] })
    await assert.rejects(rig.reconfigure(next), (error: Error) =>
      /the port is taken/.test(`${error.message} ${JSON.stringify(error)}`),
    )
    assert.deepEqual(
      (await rig.master.query.builders()).map(({ name }) => name),
      ['full'],
    )
    assert.deepEqual(
      (await rig.master.query.schedulers()).map(({ name }) => name),
      ['tests'],
    )
    await rig.master.submitChange(commit('r1'), 'test')
    await rig.clock.advance(60_000)
    await rig.settle()
    assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot success'])
  })
})
