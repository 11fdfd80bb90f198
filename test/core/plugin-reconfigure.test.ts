import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { CiError, definePlugin, type Host } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import type { PluginSpec } from '../../core/config/model.ts'
import { createPluginHostRig, spec, tapping } from '../rig/plugin-host-rig.ts'

type Rig = ReturnType<typeof createPluginHostRig>

test('an untouched plugin keeps its socket, timer and counter, and gets new functions in place', async () => {
  const rig = createPluginHostRig()
  const answers: number[] = []
  let port = 0
  let starts = 0
  const plugin = definePlugin({
    name: 'counter',
    kind: 'service',
    apply(host, options: { label: string; price: (count: number) => number }) {
      let count = 0
      host.tap('buildFinished', () => void answers.push(options.price(++count)))
    },
    async start(host) {
      starts++
      const server = createServer((socket) => socket.pipe(socket))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      port = typeof address === 'object' && address ? address.port : 0
      host.clock.timer(60_000, () => answers.push(-1))
      return server
    },
  })
  const make = (factor: number): PluginSpec => {
    const { definition, options, id } = plugin({ label: 'x', price: (count) => count * factor })
    return { id, kind: 'service', definition, options, codeHash: 'same', version: null, worker: null }
  }
  const starting = rig.host.start([make(1)])
  await until(starting, { what: 'the server to listen' })
  const client = connect(port, '127.0.0.1')
  await until(once(client, 'connect'), { what: 'the connection' })
  rig.commit('buildFinished')
  await rig.clock.advance(30_000)

  assert.deepEqual(await rig.host.reconfigure([make(10)]), [])
  rig.commit('buildFinished')
  await rig.clock.advance(30_000)
  assert.deepEqual(answers, [1, 20, -1])
  assert.equal(starts, 1)
  client.write('still there')
  const [echoed] = await until(once(client, 'data'), { what: 'the echo' })
  assert.equal(String(echoed), 'still there')

  client.destroy()
  await until(rig.host.stop(), { what: 'the server to close' })
})

test('what is changed, new and gone is restarted, started and stopped, and told in lines', async () => {
  const rig = createPluginHostRig()
  const traced = trace(rig)
  await rig.host.start([traced('a'), traced('b', { fromaddr: 'x', mode: 'all' }), traced('c'), traced('code', {}, '1')])
  rig.calls.length = 0
  const other = spec('c', { name: 'another', apply: () => void rig.calls.push('apply another') })
  const lines = await rig.host.reconfigure([
    traced('new'),
    traced('b', { fromaddr: 'y', relayhost: 'z', mode: 'all' }),
    other,
    traced('code', {}, '2'),
  ])
  assert.deepEqual(lines, [
    'plugin "new" started',
    'plugin "b" restarted: options fromaddr, relayhost changed',
    'plugin "c" restarted: it was a c and is a another',
    'plugin "code" restarted: its code changed',
    'plugin "a" stopped',
  ])
  assert.deepEqual(rig.calls, [
    ...['apply new', 'apply b', 'apply another', 'apply code'],
    ...['stop code', 'stop c', 'stop b', 'stop a'],
    ...['start new', 'start b', 'start code'],
  ])
  assert.deepEqual(
    rig.host.status().map((item) => item.id),
    ['new', 'b', 'c', 'code'],
  )
  await rig.host.stop()
})

test('a plugin that takes its new options live is not stopped; one that refuses or throws is', async () => {
  for (const way of ['takes', 'refuses', 'throws'] as const) {
    const rig = createPluginHostRig()
    const seen: unknown[] = []
    const plugin = (url: string) =>
      spec<{ url: string }>(
        'lamp',
        {
          apply: (host: Host, options) => {
            seen.push(`apply ${options.url}`)
            host.own({ [Symbol.dispose]: () => void seen.push('stop') })
          },
          reconfigure: (_, next, previous) => {
            seen.push(`${previous.url} to ${next.url}`)
            if (way === 'throws') throw new Error('no')
            return way === 'takes'
          },
        },
        { url },
      )
    await rig.host.start([plugin('x')])
    const lines = await rig.host.reconfigure([plugin('y')])
    if (way === 'takes') {
      assert.deepEqual(lines, ['plugin "lamp" took new options: option url changed'])
      assert.deepEqual(seen, ['apply x', 'x to y'])
      assert.deepEqual(await rig.host.reconfigure([plugin('y')]), [])
      await rig.host.reconfigure([plugin('z')])
      assert.equal(seen.at(-1), 'y to z')
    } else {
      assert.deepEqual(lines, ['plugin "lamp" restarted: option url changed'])
      assert.deepEqual(seen, ['apply x', 'x to y', 'apply y', 'stop'])
    }
    await rig.host.stop()
  }
})

test('taps keep config order after a restart', async () => {
  const rig = createPluginHostRig()
  const tag = (id: string, mark: string) =>
    spec<{ mark: string }>(
      id,
      {
        apply: (host: Host, options) =>
          host.tap('refineChange', (event) => ({ ...event, comments: event.comments + options.mark })),
      },
      { mark },
    )
  await rig.host.start([tag('a', 'a'), tag('b', 'b')])
  await rig.host.reconfigure([tag('a', 'A'), tag('b', 'b')])
  const refined = await rig.host.hooks.refine('refineChange', { who: 'j', files: [], comments: '', source: 'git' })
  assert.equal(refined.comments, 'Ab')
  await rig.host.stop()
})

test('a failing apply disturbs nobody', async () => {
  const rig = createPluginHostRig()
  const traced = trace(rig)
  await rig.host.start([traced('a'), traced('b', { x: 1 })])
  rig.calls.length = 0
  const broken = spec('broken', {
    apply() {
      throw new Error('no bulb')
    },
  })
  await assert.rejects(
    rig.host.reconfigure([traced('b', { x: 2 }), broken]),
    /Plugin "broken" failed in apply: no bulb/,
  )
  assert.deepEqual(rig.calls, ['apply b', 'stop b'], 'only what was made for the new config was thrown away')
  assert.deepEqual(
    rig.host.status().map((item) => [item.id, item.state]),
    [
      ['a', 'running'],
      ['b', 'running'],
    ],
  )
  await rig.host.stop()
})

test('a failing start puts everything back as it was, with the old options and order', async () => {
  const rig = createPluginHostRig()
  const told: string[] = []
  const plugin = (id: string, mark: string, live = false) =>
    spec<{ mark: string }>(
      id,
      {
        apply(host: Host, options) {
          let mine = options.mark
          host.tap('buildFinished', () => void told.push(`${id}${mine}`))
          host.own({ [Symbol.dispose]: () => void (mine = 'stopped') })
          Object.assign(state, { [id]: (mark: string) => (mine = mark) })
        },
        ...(live ? { reconfigure: (_, next) => state[id]?.(next.mark) === next.mark } : {}),
      },
      { mark },
    )
  const state: Record<string, (mark: string) => unknown> = {}
  const broken = spec('broken', { start: () => Promise.reject(new Error('port taken')) })
  await rig.host.start([plugin('a', '1'), plugin('live', '1', true), plugin('gone', '1')])
  await assert.rejects(
    rig.host.reconfigure([broken, plugin('live', '2', true), plugin('a', '2')]),
    /Plugin "broken" failed to start: port taken/,
  )
  rig.commit('buildFinished')
  await rig.clock.settle()
  assert.deepEqual(told.toSorted(), ['a1', 'gone1', 'live1'])
  assert.deepEqual(
    rig.host.status().map((item) => [item.id, item.state]),
    [
      ['a', 'running'],
      ['live', 'running'],
      ['gone', 'running'],
    ],
  )
  assert.deepEqual(await rig.host.reconfigure([plugin('a', '1'), plugin('live', '1', true), plugin('gone', '1')]), [])
  await rig.host.stop()
})

test('an old plugin that does not come back is reported, and does not keep the others away', async () => {
  const rig = createPluginHostRig()
  let starts = 0
  const once = (x: number) =>
    spec('once', { start: () => (starts++ === 0 ? undefined : Promise.reject(new Error('only once'))) }, { x })
  await rig.host.start([once(1), trace(rig)('a', { x: 1 })])
  await assert.rejects(rig.host.reconfigure([once(2), trace(rig)('a', { x: 2 })]), /only once/)
  assert.deepEqual(
    rig.host.status().map((item) => item.id),
    ['a'],
  )
  assert.equal(rig.log.find('error', 'plugin could not be started again')[0]?.fields.plugin, 'once')
  await rig.host.stop()
})

test('nothing slips past a guard while it restarts, nor while a restart that fails is put back', async () => {
  const rig = createPluginHostRig()
  const passed: string[] = []
  const force = { action: 'force' as const, who: 'eve', via: 'cli' }
  const probe = async (when: string) => {
    await rig.host.hooks.guard(force).then(
      () => passed.push(when),
      () => {},
    )
  }
  const policy = (rule: string) =>
    spec(
      'policy',
      {
        apply(host: Host) {
          host.tap('guardAction', () => {
            throw new CiError({ code: 'POLICY', message: 'Eve may not.' })
          })
          host.own({ [Symbol.asyncDispose]: () => probe(`while ${rule} closes`) })
        },
        start: () => probe(`while ${rule} starts`),
      },
      { rule },
    )
  const broken = spec('broken', {
    async start() {
      await probe('while another starts')
      throw new Error('port taken')
    },
  })
  await rig.host.start([policy('1')])
  await rig.host.reconfigure([policy('2')])
  await assert.rejects(rig.host.reconfigure([policy('3'), broken]), /port taken/)
  await assert.rejects(rig.host.reconfigure([broken]), /port taken/)
  await probe('at the end')
  assert.deepEqual(passed, [])
  await rig.host.reconfigure([])
  await probe('without policy')
  assert.deepEqual(passed, ['without policy'])
  await rig.host.stop()
})

test('reconfigure revives a suspended plugin', async () => {
  const rig = createPluginHostRig({ crash: { consecutive: 1, inWindow: 50, windowMs: 1000 } })
  const specs = [
    tapping('noise', 'buildFinished', () => {
      throw new Error('again')
    }),
  ]
  await rig.host.start(specs)
  rig.commit('buildFinished')
  await rig.clock.settle()
  assert.equal(rig.host.status()[0]?.suspended, true)
  await rig.host.reconfigure(specs)
  assert.equal(rig.host.status()[0]?.suspended, false)
  await rig.host.stop()
})

test('a durable plugin misses nothing over a restart, and one that is new begins with what comes then', async () => {
  const rig = createPluginHostRig()
  const told: string[] = []
  const mail = (id: string, mark: string) =>
    spec<{ mark: string }>(
      id,
      {
        durable: true,
        apply: (host: Host, options) =>
          host.tap('buildFinished', ({ eventId }) => void told.push(`${id} ${options.mark} ${eventId}`)),
        start: () => rig.commit('buildFinished'),
      },
      { mark },
    )
  await rig.host.start([mail('a', 'x')])
  await rig.clock.settle()
  await rig.host.reconfigure([mail('a', 'y'), mail('b', 'x')])
  await rig.clock.settle()
  assert.deepEqual(told.toSorted(), ['a x 1', 'a y 2', 'a y 3', 'b x 2', 'b x 3'])
  await rig.host.stop()
})

test('reconfigures at once come one after the other, and none after stop', async () => {
  const rig = createPluginHostRig()
  const traced = trace(rig)
  await rig.host.start([])
  const [first, second] = await Promise.all([
    rig.host.reconfigure([traced('a', { x: 1 })]),
    rig.host.reconfigure([traced('a', { x: 2 })]),
  ])
  assert.deepEqual([first, second], [['plugin "a" started'], ['plugin "a" restarted: option x changed']])
  await rig.host.stop()
  await assert.rejects(rig.host.reconfigure([]), { code: 'BOLT_HOST_STOPPING' })
})

function trace(rig: Rig) {
  return (id: string, options: object = {}, codeHash = ''): PluginSpec =>
    spec(
      id,
      {
        apply(host: Host) {
          rig.calls.push(`apply ${id}`)
          host.own({ [Symbol.dispose]: () => void rig.calls.push(`stop ${id}`) })
        },
        start: () => void rig.calls.push(`start ${id}`),
      },
      options,
      codeHash,
    )
}
