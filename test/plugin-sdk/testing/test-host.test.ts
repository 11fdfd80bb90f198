import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CiError, definePlugin, type Host, type Schema, secret } from 'boltbot/plugin-sdk'
import { createScriptedSlave, createTestHost } from 'boltbot/plugin-sdk/testing'

const lamp = definePlugin({
  name: 'lamp',
  kind: 'status',
  needs: ['state'],
  apply(host, options: { url: string }) {
    host.tap('slaveLost', async ({ slave, eventId }) => {
      await host.state.set('last', slave)
      host.log.info('lamp lit', { url: options.url, eventId })
    })
  },
  start(host) {
    return host.clock.timer(1000, () => {})
  },
})

test('a plugin is applied, started, told and stopped, and what it did can be seen', async () => {
  const rig = createTestHost()
  await rig.run(lamp({ url: 'http://lamp/' }))
  assert.deepEqual(rig.taps, ['slaveLost'])
  await rig.fire('slaveLost', { slave: 'bot', reason: 'gone' })
  await rig.fire('slaveLost', { slave: 'bot-2', reason: 'gone', eventId: 9 })
  assert.equal(rig.state.get('last'), 'bot-2')
  assert.deepEqual(
    rig.log.lines.map((line) => line.fields.eventId),
    [1, 9],
  )
  assert.equal(rig.host.id, 'lamp')
  await rig.stop()
  await rig.stop()
  assert.deepEqual(rig.leaks(), [])
})

test('timers a plugin left running are told with the place they were made at', async () => {
  const leaky = definePlugin({ name: 'leaky', kind: 'service', apply: (host) => void host.clock.timer(5000, () => {}) })
  const rig = createTestHost()
  rig.apply(leaky())
  await rig.stop()
  assert.match(rig.leaks()[0] ?? '', /^a timer of 5000 ms, made\n.*test-host\.test\.ts/)
})

test('submitted changes, buildsets and acts of people are recorded and answered as the master would', async () => {
  await using rig = createTestHost({ id: 'mine' })
  const { host } = rig
  const { change, duplicate } = await host.submitChange({ who: 'jane', files: ['a.c'], comments: 'x', revision: 'r1' })
  assert.deepEqual(
    [change.id, change.source, change.revision, change.branch, duplicate],
    [1, 'mine', 'r1', null, false],
  )
  const { buildset, requests } = await host.submitBuildset({ builders: ['a', 'b'], reason: 'why not' })
  assert.deepEqual([buildset, requests.length], [1, 2])
  await host.force({ builder: 'a', who: 'jane', reason: 'now' })
  await host.stop({ build: 5, who: 'jane', reason: 'enough' })
  await host.cancel({ request: 6, who: 'jane', reason: 'enough' })
  const { changes, buildsets, forced, stopped, cancelled } = rig.records
  assert.deepEqual(
    [changes, buildsets, forced, stopped, cancelled].map((list) => list.length),
    [1, 1, 1, 1, 1],
  )
  assert.equal(forced[0] !== undefined && 'builder' in forced[0] && forced[0].builder, 'a')
})

test('queries, secrets, people and slaves answer what the test set', async () => {
  await using rig = createTestHost({
    query: { isIdle: async (builder) => builder === 'full' },
    secrets: { key: 'hidden' },
    people: { jane: 'jane@example.org' },
    slaves: { bot: 'password', local: undefined },
    directory: '/tmp/mine',
  })
  const { query, secrets, people, slaves, directory } = rig.host
  assert.deepEqual([await query.isIdle('full'), await query.isIdle('x'), await query.builders()], [true, false, []])
  assert.deepEqual([secrets.resolve(secret('key')), secrets.resolve('plain')], ['hidden', 'plain'])
  assert.throws(() => secrets.resolve(secret('other')), /secret "other", which the test did not give/)
  assert.deepEqual([await people.mailAddress('jane'), await people.mailAddress('joe')], ['jane@example.org', null])
  assert.deepEqual([slaves.password('bot'), slaves.known('local'), slaves.known('x')], ['password', true, false])
  assert.equal(await directory(), '/tmp/mine')
  await createScriptedSlave({ name: 'bot' }).attach(slaves)
  assert.equal(rig.attached[0]?.slave, 'bot')
})

test('taps are called by stage and by kind of hook, with frozen events', async () => {
  await using rig = createTestHost()
  rig.apply(
    definePlugin({
      name: 'all',
      kind: 'service',
      apply(host) {
        host.tap('refineChange', (event) => ({ ...event, comments: `${event.comments} second` }), { stage: 1 })
        host.tap('refineChange', (event) => {
          assert.ok(Object.isFrozen(event.files))
          return { ...event, comments: `${event.comments} first` }
        })
        host.tap('chooseSlave', () => undefined)
        host.tap('chooseSlave', () => 'bot')
        host.tap('guardAction', ({ who }) => {
          if (who === 'eve') throw new CiError({ code: 'POLICY', message: 'Eve may not.' })
        })
      },
    })(),
  )
  const refined = await rig.fire('refineChange', { who: 'j', files: [], comments: 'x', source: 's' })
  assert.equal(refined?.comments, 'x first second')
  assert.equal(await rig.fire('chooseSlave', { builder: 'full', request: 1, slaves: ['bot'] }), 'bot')
  await rig.fire('guardAction', { action: 'force', who: 'jane', via: 'cli' })
  await assert.rejects(rig.fire('guardAction', { action: 'force', who: 'eve', via: 'cli' }), /Eve may not/)
})

test('pollers and schedulers are kept, and a poller can be asked to poll', async () => {
  let polls = 0
  await using rig = createTestHost()
  rig.apply(
    definePlugin({
      name: 'poller',
      kind: 'source',
      needs: ['pollers', 'schedulers'],
      apply(host) {
        host.registerPoller({ name: 'p', interval: 60, poll: async () => void polls++ })
        host.registerScheduler({ name: 's', builders: ['full'], initial: 0, decide: (_, state) => ({ state }) })
      },
    })(),
  )
  await rig.poll()
  assert.equal(polls, 1)
  await assert.rejects(rig.poll('q'), /registered no poller "q"/)
  assert.equal(rig.records.schedulers[0]?.name, 's')
})

test('what the master would refuse is refused: late taps, unknown hooks, durable guards, wrong options, state that is no JSON', async () => {
  const service = (apply: (host: Host) => void, durable = false) =>
    definePlugin({ name: 'bad', kind: 'service', durable, apply })()
  const late = createTestHost()
  late.apply(service(() => {}))
  assert.throws(() => late.host.tap('slaveLost', () => {}), /called host\.tap after apply/)
  assert.throws(
    () => createTestHost().apply(service((host) => host.tap('slaveGone' as 'slaveLost', () => {}))),
    /no hook/,
  )
  assert.throws(
    () => createTestHost().apply(service((host) => host.tap('guardAction', () => {}), true)),
    /is durable and taps "guardAction", which is not stored/,
  )
  await assert.rejects(late.host.state.set('x', new Date() as never), { code: 'BOLT_STATE_JSON' })
  await assert.rejects(createTestHost().start(), /was not applied/)
  const schema: Schema<{ size: number }> = {
    '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'size is missing' }] }) },
  }
  const sized = definePlugin({ name: 'sized', kind: 'service', schema, apply() {} })
  assert.throws(() => createTestHost().apply(sized({ size: 1 })), /refused by its schema: size is missing/)
})

test('a stopped test host takes no calls, and owned things are closed in reverse', async () => {
  const rig = createTestHost()
  const closed: string[] = []
  rig.host.own({ [Symbol.dispose]: () => void closed.push('first') })
  rig.host.own({ [Symbol.asyncDispose]: async () => void closed.push('second') })
  await rig.stop()
  assert.deepEqual(closed, ['second', 'first'])
  assert.equal(rig.host.signal.aborted, true)
  await assert.rejects(rig.host.submitChange({ who: 'j', files: [], comments: '' }), { code: 'BOLT_HOST_STOPPED' })
})
