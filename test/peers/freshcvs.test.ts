import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ChangeInput, CiError, secret } from 'boltbot/plugin-sdk'
import { changeSourceSuite, createTestHost, type TestHostOptions, until } from 'boltbot/plugin-sdk/testing'
import { type FreshCvsOptions, freshCvs } from 'boltbot/plugins/changes/freshcvs'
import { createClock } from '../../core/clock.ts'
import { type Daemon, startDaemon, withoutTwisted } from './rig/freshcvs-daemon.ts'

/** Against a daemon on the real Twisted: what goes over the wire is its, not ours. */

const skip = withoutTwisted()
const FILES = [
  ['hello/src', 'lamp.c', 'file'],
  ['hello', 'README', 'file'],
  ['hello', 'doc', 'folder'],
  ['world', 'x.c', 'file'],
]

function plugin(daemon: Pick<Daemon, 'port'>, options: Partial<FreshCvsOptions> = {}) {
  const base = { host: '127.0.0.1', port: daemon.port, user: 'foo', password: secret('freshcvs') }
  return freshCvs({ ...base, ...options })
}

const linked = (daemon: Daemon) =>
  until(async () => (await daemon.ask({ clients: true })).clients === 1, { what: 'the master to be linked' })

async function watch(daemon: Pick<Daemon, 'port'>, options: Partial<FreshCvsOptions> = {}, how: TestHostOptions = {}) {
  const host = createTestHost({ secrets: { freshcvs: 'bar' }, ...how })
  await host.run(plugin(daemon, options))
  return host
}

const commit = (daemon: Daemon, message: string, files: readonly (readonly string[])[] = FILES) =>
  daemon.ask({ commit: { user: 'jane', message, files } })

describe('a FreshCVS daemon', { skip }, () => {
  for (const style of ['new', 'old'] as const)
    it(`tells of commits after the ${style} login`, async () => {
      await using daemon = await startDaemon({ style })
      await using host = await watch(daemon, { login: style, prefix: 'hello', category: 'c', project: 'p' })
      await host.poll()
      assert.deepEqual(await commit(daemon, 'Light the lämp\n\nIt was dark.\n'), { told: [null] })
      assert.deepEqual(host.records.changes, [
        {
          who: 'jane',
          files: ['src/lamp.c', 'README', 'doc'],
          comments: 'Light the lämp\n\nIt was dark.',
          branch: null,
          when: host.clock.now(),
          category: 'c',
          project: 'p',
        },
      ])
      await commit(daemon, 'elsewhere', [['world', 'x.c', 'file']])
      await commit(daemon, 'nearly', [['hello2', 'x.c', 'file']])
      assert.equal(host.records.changes.length, 1, 'files outside of the prefix are no change')
      await host.poll()
    })

  it('takes hundreds of commits at once, in order', async () => {
    await using daemon = await startDaemon()
    await using host = await watch(daemon)
    await host.poll()
    await Promise.all(Array.from({ length: 500 }, (_, i) => commit(daemon, `${i}`)))
    assert.deepEqual(
      host.records.changes.map((change) => change.comments),
      Array.from({ length: 500 }, (_, i) => `${i}`),
    )
  })

  it('is told apart from one that refuses the login, has another login, or is not there', async () => {
    await using daemon = await startDaemon()
    const error = async (options: Partial<FreshCvsOptions>, secrets = { freshcvs: 'bar' }, to = daemon) => {
      await using host = createTestHost({ secrets })
      await host.run(plugin(to, options))
      return await host.poll().then(
        () => 'none',
        (thrown: CiError) => thrown.code,
      )
    }
    assert.equal(await error({}), 'none')
    assert.equal(await error({}, { freshcvs: 'wrong' }), 'BOLT_FRESHCVS_REFUSED')
    assert.equal(await error({ user: 'nobody' }), 'BOLT_FRESHCVS_REFUSED')
    assert.equal(await error({ login: 'old' }), 'BOLT_FRESHCVS_LOGIN')
    assert.equal(await error({ port: 1 }), 'BOLT_FRESHCVS_UNREACHABLE')
    await using old = await startDaemon({ style: 'old' })
    assert.equal(await error({}, undefined, old), 'BOLT_FRESHCVS_LOGIN')
    assert.equal(await error({ login: 'old' }, { freshcvs: 'wrong' }, old), 'BOLT_FRESHCVS_REFUSED')
  })

  it('is linked to again when it was restarted, and what may be missed is said', async () => {
    let daemon = await startDaemon()
    await using host = createTestHost({ secrets: { freshcvs: 'bar' } })
    await host.run(plugin(daemon))
    await host.poll()
    await daemon.ask({ goodbye: true })
    await daemon[Symbol.asyncDispose]()
    await until(() => host.log.find('warn').length === 1, { what: 'the loss' })
    await assert.rejects(host.poll(), { code: 'BOLT_FRESHCVS_LOST' })
    daemon = await startDaemon({ port: daemon.port })
    await using _ = daemon
    await host.clock.advance(1000)
    await linked(daemon)
    await until(() => /without a link/.test(host.log.text()), { what: 'the warning' })
    await host.poll()
    await commit(daemon, 'again')
    assert.equal(host.records.changes.length, 1)
  })

  it('is tried again later and later while it is away', async () => {
    const daemon = await startDaemon()
    await daemon[Symbol.asyncDispose]()
    await using host = await watch(daemon)
    await assert.rejects(host.poll(), { code: 'BOLT_FRESHCVS_UNREACHABLE' })
    const waits: number[] = []
    for (let i = 0; i < 11; i++) {
      await until(() => host.log.find('warn').length > i, { what: `try ${i}` })
      waits.push(host.log.find('warn')[i]!.fields.againMs as number)
      await host.clock.advance(waits[i]!)
    }
    for (const [i, wait] of waits.entries()) {
      const most = Math.min(1000 * 2 ** i, 300_000)
      assert.ok(wait >= most / 2 && wait <= most, `${wait} of ${most}`)
    }
  })

  it('that hangs is found out and left', async () => {
    await using daemon = await startDaemon()
    await using host = await watch(daemon)
    await host.poll()
    daemon.child.kill('SIGSTOP')
    const asked = assert.rejects(host.poll(), /no sign of life within 60 s/)
    await host.clock.settle()
    await host.clock.advance('1m')
    await asked
    daemon.child.kill('SIGCONT')
    await host.clock.advance(1000)
    await linked(daemon)
  })

  it('waits with a commit until it can be stored', async () => {
    await using daemon = await startDaemon()
    const stored: ChangeInput[] = []
    let down = true
    await using host = await watch(
      daemon,
      {},
      {
        secrets: { freshcvs: 'bar' },
        override: {
          async submitChange(change) {
            if (down) throw new CiError({ code: 'BOLT_STORE_FULL', message: 'The disk is full.' })
            stored.push(change)
            return { change: { id: stored.length } as never, duplicate: false }
          },
        },
      },
    )
    await host.poll()
    const told = [commit(daemon, 'first'), commit(daemon, 'second')]
    await until(() => host.log.find('error').length === 1, { what: 'the failure' })
    down = false
    await host.clock.advance('5s')
    assert.deepEqual(await Promise.all(told), [{ told: [null] }, { told: [null] }])
    assert.deepEqual(
      stored.map(({ comments }) => comments),
      ['first', 'second'],
    )
  })

  it('only has the poller look where there is one, also for what was missed', async () => {
    const daemon = await startDaemon()
    const repository = ':pserver:cvs.example.org:/cvsroot hello'
    const asked: string[] = []
    const host = createTestHost({
      secrets: { freshcvs: 'bar' },
      override: {
        async pollSoon(name) {
          if (name === repository) asked.push(name)
          return 1
        },
      },
    })
    await using _host = host
    await host.run(plugin(daemon, { repository }))
    await host.poll()
    await commit(daemon, 'one')
    assert.equal(asked.length, 1)
    await daemon.ask({ drop: true })
    await until(() => host.log.find('warn').length === 1, { what: 'the loss' })
    await host.clock.advance(1000)
    await linked(daemon)
    await until(() => asked.length === 2, { what: 'the poller to be asked for what was missed' })
    assert.equal(host.records.changes.length, 0)
    await daemon[Symbol.asyncDispose]()
  })

  it('works with a real clock', async () => {
    await using daemon = await startDaemon()
    const base = createTestHost()
    await using host = createTestHost({ secrets: { freshcvs: 'bar' }, override: { clock: createClock(base.log) } })
    await host.run(plugin(daemon))
    await host.poll()
    await daemon.ask({ drop: true })
    await linked(daemon)
    await commit(daemon, 'after the drop')
    assert.equal(host.records.changes.length, 1)
  })
})

if (skip === false)
  changeSourceSuite(it, {
    name: 'changes/freshcvs',
    remembers: false,
    async make() {
      const daemon = await startDaemon()
      const waiting: string[] = []
      return {
        plugin: () => freshCvs({ host: '127.0.0.1', port: daemon.port, user: 'foo', password: 'bar' }),
        commit: async (message) => waiting.push(message),
        async bring(running) {
          await running.poll()
          while (waiting.length > 0) await commit(daemon, waiting.shift()!)
        },
        [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
      }
    },
  })
