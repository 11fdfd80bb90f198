import assert from 'node:assert/strict'
import { getPriority, platform } from 'node:os'
import { type TestContext, test } from 'node:test'
import { hasCode, messageOf } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { createPluginHostRig, inWorker } from '../../rig/plugin-host-rig.ts'
import {
  busy,
  guarding,
  instances,
  misbehaving,
  misbehavingDurably,
  modest,
  poor,
  sharing,
} from '../../rig/worker-plugins.ts'

const ENDS = { consecutive: 3, inWindow: 10, windowMs: 600_000 }
/** Beats are of real time: so many that a busy machine is not taken for a busy thread. */
const worker = {
  beatMs: 50,
  beats: 400,
  computeMs: 20_000,
  lookMs: 20,
  ends: ENDS,
  calls: { burst: 2000, perSecond: 100 },
  writes: { burst: 2000, perSecond: 100 },
}
/** A thread that gives no answer is found in half a second. */
const strict = { ...worker, beats: 10 }
/** As one that computes for so long. */
const brisk = { ...worker, computeMs: 300 }
const LIMITS: Readonly<Record<string, typeof worker>> = { spin: brisk, block: strict }

/** Ends with its test, also when that fails: threads would keep the process. */
function openRig(t: TestContext, limits: object = worker) {
  const rig = createPluginHostRig({ worker: limits as typeof worker })
  t.after(() => rig.during(rig.host.stop(), '5s'))
  return rig
}

const finished = (builder: string) => ['buildFinished', { builder }] as const

test('a tap that throws or rejects is counted, with the error as it was thrown', async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('lamp', misbehaving({ on: { bad: 'throw', worse: 'reject' } }))])
  rig.commit(...finished('bad'))
  rig.commit(...finished('worse'))
  rig.commit(...finished('good'))
  await until(() => rig.calls.includes('lamp sets told 3'), { what: 'the good event to be told' })
  const [first, second] = rig.log.find('error', 'tap failed').map(({ fields }) => fields.error)
  assert.match(messageOf(first), /not today/)
  assert.match((first as Error).stack!, /worker-plugins\.ts/)
  assert.ok(hasCode(second, 'LAMP_OUT') && second.hint === 'Change it.')
  assert.deepEqual(rig.calls, ['lamp sets told 3'])
  await rig.host.stop()
})

test('a tap that never settles is given up at its deadline, and its signal aborts', async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('lamp', misbehaving({ on: { bad: 'hang' } }))])
  rig.commit(...finished('bad'))
  rig.commit(...finished('good'))
  await rig.clock.advance('30s')
  await until(() => rig.calls.includes('lamp sets told 2'), { what: 'the next event to be told' })
  assert.ok(hasCode(rig.log.find('error', 'tap failed')[0]!.fields.error, 'BOLT_HOOKS_DEADLINE'))
  await rig.host.stop()
})

const CUT_OFF = {
  spin: /computed for 300ms without an answer in "buildFinished"/,
  block: /was silent for .* without an answer in "buildFinished"/,
  leak: /used more than its 64 MB in "buildFinished"/,
  leakBuffers: /used more than its 64 MB in "buildFinished"/,
  grab: /used more than its 64 MB in "buildFinished"/,
  hoard: /used more than its 64 MB in "buildFinished"/,
  exit: /ended in "buildFinished": it exited with code 3/,
} as const

for (const [how, reason] of Object.entries(CUT_OFF) as [keyof typeof CUT_OFF, RegExp][]) {
  test(`a durable plugin that does "${how}" is cut off and named, started again, and loses no event`, async (t) => {
    const rig = openRig(t, LIMITS[how] ?? worker)
    await rig.host.start([inWorker('lamp', misbehavingDurably({ on: { bad: how } }))])
    for (const builder of ['good', 'bad', 'good', 'good']) rig.commit(...finished(builder))
    await until(() => rig.log.find('error', 'plugin cut off, it will be started again').length === 1, {
      what: 'the end',
    })
    assert.match(messageOf(rig.log.find('error')[0]!.fields.error), reason)
    assert.equal(rig.log.find('error')[0]!.fields.plugin, 'lamp')
    assert.equal(rig.cursors.get('lamp'), 1, 'the event it died of is not dealt with')
    assert.equal(rig.host.status()[0]!.suspended, false)
    // Its event comes again after its own back-off; a call that comes before the thread is there waits for it.
    await until(
      async () => {
        await rig.clock.advance('1s')
        return rig.calls.includes('lamp sets told 4')
      },
      { what: 'the rest to be told' },
    )
    const told = [...new Set(rig.calls.filter((call) => call.includes('told')))] // one may come twice
    assert.deepEqual(
      told,
      [1, 2, 3, 4].map((event) => `lamp sets told ${event}`),
    )
    await until(() => rig.cursors.get('lamp') === 4, { what: 'the cursor' })
    await rig.host.stop()
  })
}

const FAILED = {
  throw: /not today/,
  reject: /The lamp is out/,
  hang: /"lamp" on buildFinished did not end within 30 s/,
  flood: /"lamp" on buildFinished did not end within 30 s/,
  timers: /"lamp" has 10000 timers open/,
} as const

for (const [how, reason] of Object.entries(FAILED) as [keyof typeof FAILED, RegExp][]) {
  test(`a durable plugin that does "${how}" is told the event again, and loses none`, async (t) => {
    const rig = openRig(t)
    await rig.host.start([inWorker('lamp', misbehavingDurably({ on: { bad: how } }))])
    for (const builder of ['good', 'bad', 'good']) rig.commit(...finished(builder))
    await until(() => rig.cursors.get('lamp') === 1, { what: 'the first event to be told' })
    if (how === 'timers') await until(() => rig.host.status()[0]!.errors === 1, { what: 'the failure' })
    const told = async () => {
      await rig.clock.advance('5s')
      return rig.cursors.get('lamp') === 3
    }
    await until(told, { what: 'the rest to be told' })
    assert.equal(rig.host.status()[0]!.errors, 1)
    assert.match(messageOf(rig.log.find('warn').concat(rig.log.find('error'))[0]!.fields.error), reason)
    assert.deepEqual(
      rig.calls.filter((call) => call.includes('told')),
      [1, 2, 3].map((event) => `lamp sets told ${event}`),
    )
  })
}

test('a plugin that is cut off too often is suspended and named; resumed, it goes on where it was', async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('lamp', misbehaving({ on: { bad: 'exit' } }))])
  for (let i = 1; i <= ENDS.consecutive; i++) {
    rig.commit(...finished('bad'))
    await until(() => rig.host.status()[0]!.errors === i, { what: `end ${i}` })
    await rig.clock.advance('10s')
    if (i < ENDS.consecutive) {
      await until(() => rig.log.find('info', 'plugin started again in a new worker').length === i, {
        what: 'a new thread',
      })
    }
  }
  assert.equal(rig.host.status()[0]!.suspended, true)
  const [line] = rig.log.find('error', 'plugin suspended')
  assert.equal(line!.fields.plugin, 'lamp')
  assert.match(String(line!.fields.reason), /it exited with code 3/)

  rig.host.resume('lamp')
  rig.commit(...finished('good'))
  await until(() => rig.calls.includes('lamp sets told 4'), { what: 'the good event to be told' })
  await rig.host.stop()
  assert.deepEqual(rig.clock.pending(), [])
})

test('a plugin that is cut off now and then, and is well for long between, is never given up', async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('lamp', misbehaving({ on: { bad: 'exit' } }))])
  for (let i = 1; i <= ENDS.consecutive + 1; i++) {
    await rig.clock.advance('11m')
    rig.commit(...finished('bad'))
    await until(() => rig.host.status()[0]!.errors === i, { what: `end ${i}` })
    await rig.clock.advance('2s')
    await until(() => rig.log.find('info', 'plugin started again in a new worker').length === i, {
      what: 'a new thread',
    })
  }
  assert.equal(rig.host.status()[0]!.suspended, false)
})

test('a durable plugin that is suspended keeps its place, and goes on there when it is resumed', async (t) => {
  const rig = openRig(t, { ...worker, ends: { ...ENDS, consecutive: 1 } })
  await rig.host.start([inWorker('lamp', misbehavingDurably({ on: { bad: 'exit' } }))])
  for (const builder of ['good', 'bad', 'good']) rig.commit(...finished(builder))
  await until(() => rig.host.status()[0]!.suspended, { what: 'the suspension' })
  await rig.clock.advance('10m')
  assert.equal(rig.cursors.get('lamp'), 1)
  rig.host.resume('lamp')
  await until(() => rig.cursors.get('lamp') === 3, { what: 'the cursor' })
  assert.ok(rig.calls.includes('lamp sets told 2'))
  await rig.host.stop()
})

test('a flood of changes is paced, so that the master has time for its builds, and then refused', async (t) => {
  const rig = openRig(t, { ...worker, writes: { burst: 100, perSecond: 10 } })
  await rig.host.start([inWorker('lamp', misbehaving({ on: { bad: 'flood' } }))])
  rig.commit(...finished('bad'))
  const submitted = () => rig.calls.filter((call) => call.startsWith('lamp submits')).length
  await until(() => submitted() === 100, { what: 'the burst' })
  await rig.clock.settle()
  assert.equal(submitted(), 100, 'no more before time goes on')
  await rig.clock.advance('1s')
  await until(() => submitted() > 100, { what: 'those of a second' })
  await rig.during(rig.host.stop(), '5s')
})

test('what a thread says in a loop without end is taken in slowly, until it is cut off', async (t) => {
  const rig = openRig(t, strict)
  await rig.host.start([inWorker('lamp', misbehaving({ on: { bad: 'shout' } }))])
  const from = performance.now()
  let most = 0
  rig.commit(...finished('bad'))
  await until(
    () => {
      most = Math.max(most, rig.clock.pending().length)
      return rig.log.find('error', 'plugin cut off, it will be started again').length === 1
    },
    { what: 'the end' },
  )
  const seconds = (performance.now() - from) / 1000
  assert.ok(most > 1000 && most < 7000 + 2000 * seconds, `${most} timers in ${seconds} s`)
  await rig.host.stop()
})

test('a thread gives way to the master where cores are scarce', { skip: platform() !== 'linux' }, async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('lamp', modest())])
  rig.commit('buildFinished')
  await until(() => rig.log.find('info', 'priority').length === 1, { what: 'its priority' })
  assert.equal(rig.log.find('info', 'priority')[0]!.fields.priority, Math.min(19, getPriority() + 10))
  await rig.host.stop()
})

test('all of the host that a worker has does what it does in the process', async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('busy', busy())])
  const registered = ['poller p', 'chat command echo', 'carrier of lamp', 'route POST /echo/:word', 'route GET /stream']
  assert.deepEqual(
    rig.calls,
    registered.map((what) => `+${what}`),
  )
  const { hooks } = rig.host
  const change = { who: 'jane', files: [], comments: 'x', source: 'git' }
  assert.equal((await hooks.refine('refineChange', change)).branch, 'refined')
  assert.equal(await hooks.choose('chooseSlave', { builder: 'full', request: 1, slaves: ['a', 'b'] }), 'b')
  await hooks.guard({ action: 'force', who: 'jane', via: 'cli' })
  await assert.rejects(hooks.guard({ action: 'force', who: 'joe', via: 'cli' }), { code: 'LAMP_NO', hint: 'Be Jane.' })

  const { poller, command, carrier, route } = rig.registered
  await poller('p').poll({ signal: new AbortController().signal })
  assert.ok(rig.calls.includes('busy submits from a worker'))
  const said: string[] = []
  const speaker = { name: 'jane', who: 'jane' }
  const call = {
    speaker,
    place: 'x',
    words: ['a', 'b'],
    signal: new AbortController().signal,
    reply: (text: string) => void said.push(text),
  }
  assert.equal(await command('echo')(call), 'a b')
  assert.deepEqual(said, ['first'])
  assert.equal(await carrier('lamp').addressOf('jane'), 'jane@lamp')

  const facts = { path: '/', headers: {}, client: '::1', proxied: false, origin: 'http://x', signal: call.signal }
  const body = new TextEncoder().encode('hello')
  const echoed = await route('/echo/:word')({
    ...facts,
    method: 'POST',
    params: { word: 'w' },
    query: new URLSearchParams('q=5'),
    body,
  })
  assert.deepEqual([echoed.headers?.['x-word'], echoed.body], ['w', 'hello 5'])
  const streamed = await route('/stream')({ ...facts, method: 'GET', params: {}, query: new URLSearchParams(), body })
  const pieces: unknown[] = []
  for await (const piece of streamed.body as AsyncIterable<string>) pieces.push(piece)
  assert.deepEqual(pieces, ['one ', 'two'])

  rig.commit('buildFinished')
  await until(() => rig.log.find('info', 'asked').length === 1, { what: 'the answers' })
  assert.deepEqual(rig.log.find('info', 'asked')[0]!.fields, {
    plugin: 'busy',
    name: 'Hello',
    secret: 'the secret known',
    builds: 2,
    refused: 'BOLT_TEST',
    url: 'http://localhost/',
    now: rig.clock.now(),
  })
  const slept = async () => {
    await rig.clock.advance('1s')
    return rig.log.find('warn', 'slept').length === 1
  }
  await until(slept, { what: 'the sleep by the clock of the master' })
  const { deep, error } = rig.log.find('warn', 'slept')[0]!.fields
  assert.equal(deep, true)
  assert.equal(messageOf(error), 'as a field')
  await rig.host.stop()
  assert.deepEqual(rig.log.find('info', 'closed')[0]!.fields, { plugin: 'busy', aborted: true })
  assert.deepEqual(rig.clock.pending(), [])
  assert.deepEqual(rig.log.find('error'), [])
})

test('what there is not in a worker, and what a plugin did not say it needs, is told with a code', async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('poor', poor())])
  rig.commit('buildFinished')
  await until(() => rig.host.status()[0]!.errors === 1, { what: 'the failure' })
  assert.ok(hasCode(rig.log.find('error')[0]!.fields.error, 'BOLT_HOST_NEEDS'))
  await rig.host.stop()

  const refused = (plugin: Parameters<typeof inWorker>[1], reason: RegExp) =>
    assert.rejects(openRig(t).host.start([inWorker('x', plugin)]), reason)
  await refused(sharing(), /"x" uses host\.share, which there is not in a worker/)
  await refused(instances.hidden(), /worker-plugins\.ts" defines hidden, but does not export it/)
})

test('a guard whose worker is down refuses; refining goes on without it; a neighbour does not notice', async (t) => {
  const rig = openRig(t)
  await rig.host.start([inWorker('guard', guarding()), inWorker('lamp', misbehaving())])
  const { hooks } = rig.host
  const change = { who: 'jane', files: [], comments: 'x', source: 'git' }
  const order = { action: 'force', who: 'jane', via: 'cli' } as const
  await hooks.guard(order)
  rig.commit(...finished('good'))
  await until(() => rig.host.status()[0]!.errors === 1, { what: 'the end' })
  await assert.rejects(hooks.guard(order), { code: 'BOLT_HOOKS_GUARD_AWAY' })
  assert.equal((await hooks.refine('refineChange', change)).branch, undefined)
  await until(() => rig.calls.includes('lamp sets told 1'), { what: 'the neighbour to be told' })
  await rig.clock.advance('2s')
  await until(() => rig.log.find('info', 'plugin started again in a new worker').length === 1, { what: 'a new thread' })
  await hooks.guard(order)
  assert.equal((await hooks.refine('refineChange', change)).branch, 'refined')
  await rig.host.stop()
})
