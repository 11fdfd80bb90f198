import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CiError, type GuardedAction, type Poller } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog, createSeededRandom, until } from 'boltbot/plugin-sdk/testing'
import { createPollers } from '../../core/pollers.ts'
import { openSqliteStore } from '../../core/store/open.ts'

describe('pollers', () => {
  it('poll at launch and then each interval, give or take a tenth', async () => {
    await using rig = await createRig()
    const poller = rig.poller('a', { interval: '10m' })
    rig.pollers.start()
    await poller.polled(1)
    for (let polls = 2; polls <= 5; polls++) {
      await rig.next('p/a')
      const wait = rig.view('p/a').next! - rig.clock.now()
      assert.ok(wait >= 540_000 && wait <= 660_000, `${wait}`)
      await rig.clock.advance(wait)
      await poller.polled(polls)
    }
  })

  it('wait for what is left of the interval after a restart, where they do not poll at launch', async () => {
    await using rig = await createRig()
    const first = rig.poller('a', { interval: '10m', pollAtLaunch: false })
    rig.pollers.start()
    await rig.next('p/a')
    await rig.clock.advance('11m')
    await first.polled(1)
    await first.stop()
    await rig.clock.advance('5m')
    const second = rig.poller('a', { interval: '10m', pollAtLaunch: false })
    await rig.next('p/a')
    assert.equal(second.calls(), 0)
    assert.ok(rig.view('p/a').next! - rig.clock.now() <= 6 * 60_000)
    await rig.clock.advance('6m')
    await second.polled(1)
  })

  it('of one repository poll one at a time, whichever way its address is written', async () => {
    await using rig = await createRig()
    const gate = Promise.withResolvers<void>()
    const first = rig.poller('a', { repository: 'git@git.example.org:hello.git' }, () => gate.promise)
    const second = rig.poller('b', { repository: 'https://git.example.org/hello' })
    const other = rig.poller('c', { repository: 'https://git.example.org/other' })
    rig.pollers.start()
    await first.polled(1)
    await other.polled(1)
    assert.equal(second.calls(), 0)
    assert.equal(rig.view('p/b').state, 'queued')
    gate.resolve()
    await second.polled(1)
  })

  it('show how they fare, also after a restart, and tell each failure', async () => {
    await using rig = await createRig()
    let broken = true
    const first = rig.poller('a', { interval: '1m' }, async () => {
      if (broken) throw new Error('unreachable')
    })
    rig.pollers.start()
    await rig.next('p/a')
    await rig.clock.advance('3m')
    await first.polled(2)
    await rig.next('p/a')
    const { failures, error, lastGood } = rig.view('p/a')
    assert.deepEqual({ failures, error, lastGood }, { failures: 2, error: 'unreachable', lastGood: null })
    assert.deepEqual(await rig.told(), [
      { source: 'p/a', error: 'unreachable', failures: 1 },
      { source: 'p/a', error: 'unreachable', failures: 2 },
    ])
    await first.stop()
    const gate = Promise.withResolvers<void>()
    const again = rig.poller('a', { interval: '1m' }, () => gate.promise)
    await again.polled(1)
    assert.equal(rig.view('p/a').failures, 2)
    broken = false
    gate.resolve()
    await rig.next('p/a')
    assert.equal(rig.view('p/a').error, null)
    assert.equal((await rig.told()).length, 2)
  })

  it('poll at once when asked, by any of their names, and say how it went', async () => {
    await using rig = await createRig()
    let broken = false
    const poller = rig.poller('a', { interval: '1h', repository: 'https://git.example.org/hello.git' }, async () => {
      if (broken) throw new CiError({ code: 'TEST_DOWN', message: 'It is down.' })
    })
    rig.pollers.start()
    await rig.next('p/a')
    for (const [i, name] of ['p/a', 'p', 'a', 'git@git.example.org:hello'].entries()) {
      assert.deepEqual(await rig.pollers.poll(name, JANE), ['p/a'])
      assert.equal(poller.calls(), 2 + i)
    }
    broken = true
    await assert.rejects(rig.pollers.poll('a', JANE), { code: 'TEST_DOWN' })
    await assert.rejects(rig.pollers.poll('aa', JANE), { code: 'BOLT_POLLERS_UNKNOWN' })
    assert.equal(rig.asked.length, 6)
    rig.refuse()
    await assert.rejects(rig.pollers.poll('a', JANE), { code: 'TEST_REFUSED' })
    assert.equal(poller.calls(), 6)
  })

  it('poll soon for a branch only when they will tell what is new there', async () => {
    await using rig = await createRig()
    rig.poller('a', { repository: '/srv/hello', watches: (branch) => branch === 'main' }, async () => {})
    const gate = Promise.withResolvers<void>()
    rig.poller('b', { repository: '/srv/slow' }, () => gate.promise)
    rig.pollers.start()
    await rig.next('p/a')
    assert.equal(rig.pollers.pollSoon('/srv/hello', { branch: 'main' }), 1)
    assert.equal(rig.pollers.pollSoon('/srv/hello', { branch: 'other' }), 0)
    assert.equal(
      rig.pollers.pollSoon('/srv/slow', { branch: 'main' }),
      0,
      'its first poll will only note where things stand',
    )
    gate.resolve()
    await rig.next('p/b')
    assert.equal(rig.pollers.pollSoon('/srv/slow', { branch: 'main' }), 1)
  })

  it('poll once more when asked while they poll: what was committed meanwhile is seen', async () => {
    await using rig = await createRig()
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let calls = 0
    const poller = rig.poller('a', { repository: '/srv/hello' }, () => gates[calls++]!.promise)
    rig.pollers.start()
    await poller.polled(1)
    assert.equal(rig.pollers.pollSoon('/srv/hello/'), 1)
    assert.equal(rig.pollers.pollSoon('/srv/hello'), 1)
    assert.equal(rig.pollers.pollSoon('/srv/other'), 0)
    gates[0]!.resolve()
    await poller.polled(2)
    gates[1]!.resolve()
    await rig.next('p/a')
    assert.equal(poller.calls(), 2)
  })

  it('are left behind when they hang, and refuse when they are stopped', async () => {
    await using rig = await createRig()
    const poller = rig.poller('a', { interval: '1m', deadline: '30s' }, () => new Promise(() => {}))
    rig.pollers.start()
    await poller.polled(1)
    const asked = assert.rejects(rig.pollers.poll('a', JANE), { code: 'BOLT_POLLERS_DEADLINE' })
    await rig.clock.advance('31s')
    await poller.polled(2)
    await rig.clock.advance('31s')
    await asked
    await poller.stop()
    await assert.rejects(rig.pollers.poll('a', JANE), { code: 'BOLT_POLLERS_UNKNOWN' })
    assert.deepEqual(rig.clock.pending(), [])
  })
})

const JANE = { who: 'jane', via: 'test' }

async function createRig() {
  const clock = createFakeClock()
  const log = createMemoryLog()
  const store = await openSqliteStore({ file: ':memory:', clock, log })
  const asked: GuardedAction[] = []
  let refused = false
  const pollers = createPollers({
    store,
    clock,
    log,
    random: createSeededRandom(1),
    async guard(action) {
      asked.push(action)
      if (refused) throw new CiError({ code: 'TEST_REFUSED', message: 'Not you.' })
    },
  })
  const stack = new AsyncDisposableStack()
  stack.defer(() => store.close())
  const view = (source: string) => pollers.list().find((one) => one.source === source)!
  return {
    clock,
    pollers,
    asked,
    view,
    refuse: () => void (refused = true),
    poller(name: string, options: Partial<Poller>, poll: Poller['poll'] = async () => {}) {
      let calls = 0
      const running = stack.use(
        pollers.register('p', {
          name,
          interval: '1h',
          ...options,
          poll(context) {
            calls++
            return poll(context)
          },
        }),
      )
      return {
        calls: () => calls,
        polled: (count: number) =>
          until(() => calls === count, { what: `poll ${count} of ${name}`, seen: () => `${calls}` }),
        stop: () => running[Symbol.asyncDispose](),
      }
    },
    /** Resolves when a poller sleeps until its next poll. */
    next: (source: string) =>
      until(() => view(source).state === 'waiting' && view(source).next !== null && clock.pending().length > 0, {
        what: `${source} to sleep`,
      }),
    async told() {
      const rows = await store.db.selectFrom('journal').selectAll().where('name', '=', 'sourceFailing').execute()
      return rows.map((row) => {
        const { source, error, failures } = JSON.parse(row.payload)
        return { source, error, failures }
      })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
