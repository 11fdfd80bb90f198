import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CiError, type Host, hasCode, type LogAppended, messageOf } from 'boltbot/plugin-sdk'
import { createPluginHostRig, spec, tapping } from '../rig/plugin-host-rig.ts'

const change = { who: 'jane', files: ['a.c'], comments: 'x', source: 'git' }
const force = { action: 'force' as const, who: 'jane', via: 'cli' }
const logged: LogAppended = { at: 1, build: 1, builder: 'full', number: 0, step: 0, log: 'stdio', length: 5 }

test('all are applied before the first starts, all start before the first poller runs, all stop in reverse', async () => {
  const rig = createPluginHostRig()
  const plugin = (id: string) =>
    spec(id, {
      apply(host: Host) {
        rig.calls.push(`apply ${id}`)
        host.registerPoller({ name: id, interval: 60, poll: async () => {} })
        host.registerScheduler({ name: id, builders: [], initial: 0, decide: (_, state) => ({ state }) })
        host.own({ [Symbol.dispose]: () => void rig.calls.push(`first of ${id}`) })
        host.own({ [Symbol.asyncDispose]: async () => void rig.calls.push(`second of ${id}`) })
      },
      async start() {
        rig.calls.push(`start ${id}`)
        return { [Symbol.dispose]: () => void rig.calls.push(`closed ${id}`) }
      },
    })
  await rig.host.start([plugin('a'), plugin('b')])
  assert.deepEqual(
    rig.host.status().map((item) => item.state),
    ['running', 'running'],
  )
  await rig.host.stop()
  await rig.host.stop()
  const end = (id: string) => [`-poller ${id}`, `-scheduler ${id}`, `closed ${id}`, `second of ${id}`, `first of ${id}`]
  assert.deepEqual(rig.calls, [
    ...['apply a', 'apply b', 'start a', 'start b'],
    ...['+scheduler a', '+poller a', '+scheduler b', '+poller b'],
    ...end('b'),
    ...end('a'),
  ])
  assert.deepEqual(rig.log.find('error'), [])
  assert.deepEqual(rig.clock.pending(), [])
})

test('a failed apply or start unwinds everything and tells every failure with its plugin', async () => {
  for (const broken of ['apply', 'start'] as const) {
    const rig = createPluginHostRig()
    const fine = spec('fine', {
      apply: (host: Host) => void host.own({ [Symbol.dispose]: () => void rig.calls.push('fine closed') }),
    })
    const bad = (id: string) =>
      spec(id, {
        [broken]: () => {
          throw new Error(`no ${id} today`)
        },
      })
    const error = await refusal(rig.host.start([fine, bad('x'), bad('y')]))
    assert.equal(error.code, 'BOLT_HOST_PLUGINS_FAILED')
    assert.match(
      error.message,
      /2 plugins could not be started\. Plugin "x" .* no x today\. Plugin "y" .* no y today\./,
    )
    assert.match(error.hint!, /^It was thrown at .*plugin-host\.test\.ts:\d+:\d+\)?\.$/)
    assert.equal((error.cause as AggregateError).errors.length, 2)
    assert.deepEqual(rig.calls, ['fine closed'])
    assert.deepEqual(rig.host.status(), [])
    await rig.host.stop()
  }
})

test('a start that hangs is given up with the name of its plugin, and what it opens later is closed', async () => {
  const rig = createPluginHostRig()
  const gate = Promise.withResolvers<void>()
  const slow = spec('slow', {
    async start() {
      await gate.promise
      return { [Symbol.dispose]: () => void rig.calls.push('closed late') }
    },
  })
  const error = await refusal(rig.during(rig.host.start([slow]), '30s'))
  assert.match(error.message, /Plugin "slow" did not start within 30 s\./)
  gate.resolve()
  await rig.clock.settle()
  assert.deepEqual(rig.calls, ['closed late'])
})

test('a stop during a start ends the start at once', async () => {
  const rig = createPluginHostRig()
  const started = refusal(rig.host.start([spec('slow', { start: () => new Promise(() => {}) }), spec('next')]))
  await rig.clock.settle()
  await rig.host.stop()
  assert.equal((await started).code, 'BOLT_HOST_STOPPING')
  assert.deepEqual(rig.clock.pending(), [])
  assert.equal((await refusal(rig.host.start([]))).code, 'BOLT_HOST_STOPPING')
})

test('two plugins of one id, an async apply, a wrong hook, a tap of nothing and a durable guard are refused with a reason', async () => {
  const cases = [
    [[spec('a'), spec('a')], /Two plugins have the id "a"\./],
    [[spec('a', { apply: (async () => {}) as () => void })], /"a" has an async apply/],
    [[tapping('a', 'buildFinnished' as never, () => {})], /"buildFinnished", which is no hook\./],
    [[tapping('a', 'buildFinished', 5 as never)], /"buildFinished" with no function/],
    [[tapping('a', 'buildFinished', () => {}, { stage: 'x' as never })], /with a stage that is no number/],
    [
      [spec('a', { durable: true, apply: (host: Host) => host.tap('guardAction', () => {}) })],
      /durable plugin "a" taps "guardAction"/,
    ],
    [
      [spec('a', { apply: (host: Host) => void host.own({} as Disposable) })],
      /"a" owns something, which cannot be disposed/,
    ],
  ] as const
  for (const [specs, reason] of cases) {
    assert.match((await refusal(createPluginHostRig().host.start(specs))).message, reason)
  }
})

test('tap and register are for apply only, and a stopped host takes no calls', async () => {
  const rig = createPluginHostRig()
  let host!: Host
  const made = spec('a', {
    apply(given: Host) {
      host = given
    },
  })
  await rig.host.start([made])
  assert.ok(Object.isFrozen(host))
  for (const late of [
    () => host.tap('buildFinished', () => {}),
    () => host.registerPoller({ name: 'p', interval: 1, poll: async () => {} }),
    () => host.registerScheduler({ name: 's', builders: [], initial: 0, decide: () => ({ state: 0 }) }),
  ]) {
    assert.throws(late, { code: 'BOLT_HOST_ONLY_IN_APPLY' })
  }
  await host.submitChange(change)
  await rig.host.stop()
  assert.equal(host.signal.aborted, true)
  await assert.rejects(host.submitChange(change), { code: 'BOLT_HOST_STOPPED' })
  await assert.rejects(host.state.get('x'), { code: 'BOLT_HOST_STOPPED' })
  assert.throws(() => host.query.project(), { code: 'BOLT_HOST_STOPPED' })
  let closed = false
  const late = { [Symbol.dispose]: () => void (closed = true) }
  assert.throws(() => host.own(late), { code: 'BOLT_HOST_STOPPED' })
  assert.equal(closed, true, 'what comes too late is closed, not leaked')
})

test('an observer that throws, rejects or hangs delays and hurts nobody else, and is reported with plugin and hook', async () => {
  const rig = createPluginHostRig()
  const told: string[] = []
  let signal: AbortSignal | undefined
  await rig.host.start([
    tapping('throws', 'buildFinished', () => {
      throw new Error('thrown')
    }),
    tapping('rejects', 'buildFinished', async () => {
      throw new Error('rejected')
    }),
    tapping('hangs', 'buildFinished', (event, context) => {
      told.push(`hangs ${event.eventId}`)
      signal ??= context.signal
      return event.eventId === 1 ? new Promise(() => {}) : undefined
    }),
    tapping('fine', 'buildFinished', (event) => void told.push(`fine ${event.eventId}`)),
  ])
  rig.commit('buildFinished')
  rig.commit('buildFinished')
  await rig.clock.settle()
  assert.deepEqual(told.toSorted(), ['fine 1', 'fine 2', 'hangs 1'])
  assert.equal(signal?.aborted, false)
  await rig.clock.advance('30s')
  assert.equal(told.at(-1), 'hangs 2')
  assert.ok(hasCode(signal?.reason, 'BOLT_HOOKS_DEADLINE'))
  const reported = rig.log
    .find('error', 'tap failed')
    .map(({ fields }) => `${fields.plugin} ${fields.hook} ${messageOf(fields.error)}`)
  assert.deepEqual(reported.toSorted(), [
    'hangs buildFinished The tap of plugin "hangs" on buildFinished did not end within 30 s.',
    'rejects buildFinished rejected',
    'rejects buildFinished rejected',
    'throws buildFinished thrown',
    'throws buildFinished thrown',
  ])
  assert.deepEqual(
    rig.host.status().map(({ id, calls, errors, depth }) => [id, calls, errors, depth]),
    [
      ['throws', 2, 2, 0],
      ['rejects', 2, 2, 0],
      ['hangs', 2, 1, 0],
      ['fine', 2, 0, 0],
    ],
  )
  await rig.host.stop()
})

test('what a plugin observes waits until its start is done', async () => {
  const rig = createPluginHostRig()
  const told: string[] = []
  const plugin = spec('a', {
    apply: (host: Host) => host.tap('buildFinished', () => void told.push('told')),
    start: async () => {
      rig.commit('buildFinished')
      await rig.clock.sleep(10)
      told.push('started')
      return undefined
    },
  })
  await rig.during(rig.host.start([plugin]), 10)
  await rig.clock.settle()
  assert.deepEqual(told, ['started', 'told'])
  await rig.host.stop()
})

test('refining: values go on frozen, source stays; a throw, a hang or a wrong value rejects the one item, named', async () => {
  const rig = createPluginHostRig()
  await rig.host.start([
    tapping('prefix', 'refineChange', (event) => ({
      ...event,
      source: 'forged',
      files: event.files.map((file) => `src/${file}`),
    })),
    tapping('check', 'refineChange', (event) => {
      assert.ok(Object.isFrozen(event) && Object.isFrozen(event.files))
      if (event.comments === 'throw') throw new Error('not by this author')
      if (event.comments === 'hang') return new Promise<undefined>(() => {})
      if (event.comments === 'wrong') return 'text' as never
      return undefined
    }),
  ])
  assert.deepEqual(await rig.host.hooks.refine('refineChange', change), { ...change, files: ['src/a.c'] })
  const thrown = await refusal(rig.host.hooks.refine('refineChange', { ...change, comments: 'throw' }))
  assert.deepEqual(
    [thrown.code, thrown.details.plugin, thrown.details.hook, messageOf(thrown.cause)],
    ['BOLT_HOOKS_REFINE', 'check', 'refineChange', 'not by this author'],
  )
  const hung = await refusal(rig.during(rig.host.hooks.refine('refineChange', { ...change, comments: 'hang' }), '30s'))
  assert.match(hung.message, /rejected it in refineChange: .* did not end within 30 s/)
  const wrong = await refusal(rig.host.hooks.refine('refineChange', { ...change, comments: 'wrong' }))
  assert.match(wrong.message, /Plugin "check" returned "text" from refineChange/)
  assert.equal((await rig.host.hooks.refine('refineChange', change)).comments, 'x')
  await rig.host.stop()
})

test('choosing: a throw, a hang or an answer not offered is none; the next is asked, in the end core decides', async () => {
  const rig = createPluginHostRig()
  const ways = {
    throws: () => {
      throw new Error('thrown')
    },
    hangs: () => new Promise<string>(() => {}),
    invents: async () => 'bot-9',
  }
  await rig.host.start([
    ...Object.entries(ways).map(([id, way]) => tapping(id, 'chooseSlave', way)),
    tapping('last', 'chooseSlave', (event) => (event.request === 1 ? 'bot-2' : undefined)),
    tapping('request', 'chooseRequest', () => 7),
  ])
  const choice = { builder: 'full', slaves: ['bot-1', 'bot-2'] }
  assert.equal(await rig.during(rig.host.hooks.choose('chooseSlave', { ...choice, request: 1 }), '30s'), 'bot-2')
  assert.equal(await rig.during(rig.host.hooks.choose('chooseSlave', { ...choice, request: 2 }), '30s'), undefined)
  assert.equal(await rig.host.hooks.choose('chooseRequest', { builder: 'full', requests: [] }), undefined)
  assert.equal(rig.log.find('error', 'tap failed').length, 7)
  assert.match(rig.log.text(), /chose \\"bot-9\\" in chooseSlave, which was not offered/)
  await rig.host.stop()
})

test('guarding: a coded error refuses with its reason; any other failure and a hang are closed', async () => {
  const rig = createPluginHostRig()
  await rig.host.start([
    tapping('policy', 'guardAction', (event) => {
      if (event.who === 'eve') throw new CiError({ code: 'POLICY_EVE', message: 'Eve may not.' })
      if (event.who === 'bug') throw new TypeError('undefined is not a function')
      if (event.who === 'hang') return new Promise<void>(() => {})
    }),
  ])
  await rig.host.hooks.guard(force)
  assert.equal((await refusal(rig.host.hooks.guard({ ...force, who: 'eve' }))).message, 'Eve may not.')
  const bug = await refusal(rig.host.hooks.guard({ ...force, who: 'bug' }))
  assert.deepEqual([bug.code, bug.details.plugin], ['BOLT_HOOKS_GUARD', 'policy'])
  const hung = await refusal(rig.during(rig.host.hooks.guard({ ...force, who: 'hang' }), '30s'))
  assert.equal(hung.code, 'BOLT_HOOKS_GUARD')
  assert.equal(rig.host.status()[0]?.errors, 2, 'a refusal is no failure')
  await rig.host.stop()
})

test('a plugin that keeps failing is suspended by name, and revived by resume', async () => {
  const rig = createPluginHostRig()
  let calls = 0
  let mended = false
  const tap = () => {
    calls++
    if (!mended) throw new Error('again')
  }
  const noise = spec('noise', {
    apply(host: Host) {
      host.tap('logAppended', tap)
      host.tap('guardAction', () => {})
    },
  })
  await rig.host.start([noise, tapping('fine', 'logAppended', () => {})])
  for (let i = 0; i < 30; i++) rig.host.hooks.tell('logAppended', logged)
  await rig.clock.settle()
  assert.equal(calls, 20)
  const [line] = rig.log.find('error', 'plugin suspended')
  assert.equal(line?.fields.plugin, 'noise')
  assert.deepEqual(
    rig.host.status().map((item) => item.suspended),
    [true, false],
  )
  const closed = await refusal(rig.host.hooks.guard(force))
  assert.match(closed.message, /plugin "noise", which guards it in guardAction, is suspended/)
  mended = true
  rig.host.resume('noise')
  rig.host.hooks.tell('logAppended', logged)
  await rig.clock.settle()
  assert.equal(calls, 21)
  await rig.host.hooks.guard(force)
  assert.throws(() => rig.host.resume('nois'), { code: 'BOLT_HOST_UNKNOWN_PLUGIN' })
  await rig.host.stop()
})

test('more than fifty failures in ten minutes suspend too, fifty over an hour do not', async () => {
  for (const [pause, suspended] of [
    ['1s', true],
    ['1m', false],
  ] as const) {
    const rig = createPluginHostRig()
    let calls = 0
    await rig.host.start([
      tapping('flaky', 'logAppended', () => {
        if (calls++ % 2 === 0) throw new Error('every second time')
      }),
    ])
    for (let i = 0; i < 110; i++) {
      rig.host.hooks.tell('logAppended', logged)
      await rig.clock.advance(pause)
    }
    assert.equal(rig.host.status()[0]?.suspended, suspended, pause)
    await rig.host.stop()
  }
})

test('a durable plugin whose target is down backs off instead of being suspended, and gets every event once it is back', async () => {
  const rig = createPluginHostRig()
  const told: number[] = []
  let up = false
  const mail = spec('mail', {
    durable: true,
    apply: (host: Host) =>
      host.tap('buildFinished', async ({ eventId }) => {
        if (!up) throw new Error('connection refused')
        told.push(eventId)
      }),
  })
  rig.commit('buildFinished')
  await rig.host.start([mail])
  rig.commit('buildFinished')
  rig.commit('slaveLost')
  rig.commit('buildFinished')
  await rig.clock.advance('5h')
  const [status] = rig.host.status()
  assert.ok(status!.errors > 50)
  assert.deepEqual([status?.suspended, status?.stuck?.event], [false, 2])
  up = true
  await rig.clock.advance('6m')
  assert.deepEqual(told, [2, 4])
  await rig.host.stop()
  assert.equal(rig.cursors.get('mail'), 4)
})

test('stop drains the mailbox while the tap may still use its host, then gives up by name', async () => {
  const rig = createPluginHostRig()
  const aborted: string[] = []
  const plugin = spec('mail', {
    apply(host: Host) {
      host.tap('buildFinished', async (_, { signal }) => {
        signal.addEventListener('abort', () => aborted.push('buildFinished'))
        await rig.clock.sleep(100)
        await host.state.set('sent', 1)
      })
      host.tap('slaveLost', (_, { signal }) => {
        signal.addEventListener('abort', () => aborted.push('slaveLost'))
        return new Promise(() => {})
      })
    },
  })
  await rig.host.start([plugin])
  rig.commit('buildFinished')
  rig.commit('buildFinished')
  rig.commit('slaveLost')
  await rig.during(rig.host.stop(), '5s')
  assert.deepEqual(rig.calls, ['mail sets sent', 'mail sets sent'])
  assert.deepEqual(aborted, ['slaveLost'])
  assert.deepEqual(rig.log.find('warn', 'plugin stopped with events it was not told')[0]?.fields.hooks, ['slaveLost'])
  assert.deepEqual(rig.clock.pending(), [])
})

test('a plugin that leaks timers, hangs or throws when it is closed is closed all the same', async () => {
  const rig = createPluginHostRig()
  const plugin = spec('leaky', {
    apply(host: Host) {
      host.own({ [Symbol.dispose]: () => void rig.calls.push('last') })
      host.own({ [Symbol.asyncDispose]: () => new Promise(() => {}) })
      host.own({
        [Symbol.dispose]: () => {
          throw new Error('close failed')
        },
      })
    },
    start(host: Host) {
      host.clock.timer(10 ** 9, () => {})
      void host.clock.sleep(10 ** 9)
    },
  })
  await rig.host.start([plugin])
  assert.equal(rig.clock.pending().length, 2)
  await rig.during(rig.host.stop(), '5s')
  assert.deepEqual(rig.calls, ['last'])
  assert.deepEqual(
    rig.log.find('error', 'plugin could not close something').map((line) => messageOf(line.fields.error)),
    ['close failed', 'Plugin "leaky" left something it owned open: it did not close within 5 s.'],
  )
  assert.deepEqual(rig.clock.pending(), [])
})

test("what a timer of a plugin throws is reported as the plugin's", async () => {
  const rig = createPluginHostRig()
  const plugin = spec('lamp', {
    start(host: Host) {
      host.clock.timer(5, () => {
        throw new Error('no bulb')
      })
    },
  })
  await rig.host.start([plugin])
  await rig.clock.advance(5)
  assert.equal(rig.log.find('error', 'timer failed')[0]?.fields.plugin, 'lamp')
  await rig.host.stop()
})

async function refusal(work: Promise<unknown>): Promise<CiError> {
  const error: unknown = await work.then(
    () => assert.fail('it was not refused'),
    (thrown) => thrown,
  )
  assert.ok(error instanceof CiError, `not a CiError: ${String(error)}`)
  return error
}
