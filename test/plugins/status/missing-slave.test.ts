import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CiError, type Json, type Notice, type SlaveMissing, type SlaveView } from 'boltbot/plugin-sdk'
import { createFakeClock, createTestHost, type FakeClock } from 'boltbot/plugin-sdk/testing'
import { type MissingSlaveOptions, missingSlave } from 'boltbot/plugins/status/missing-slave'

const ANN = 'ann@example.org'

interface Rig extends AsyncDisposable {
  readonly clock: FakeClock
  readonly notices: readonly Notice[]
  /** `missing bot-1, bot-2 to ann`. */
  told(): Promise<readonly string[]>
  missing(slave: string, over?: Partial<SlaveMissing>): Promise<void>
  back(slave: string): Promise<void>
  lost(slave: string): Promise<void>
  /** Another process on the same store and clock. */
  restart(): Promise<Rig>
  failing: Error | undefined
  views: readonly Partial<SlaveView>[]
}

async function createRig(
  options: MissingSlaveOptions = {},
  before?: { state: Map<string, Json>; notices: Notice[]; clock: FakeClock; events: number },
): Promise<Rig> {
  const clock = before?.clock ?? createFakeClock()
  const notices = before?.notices ?? []
  const keys = new Set(notices.map(({ key }) => key))
  let events = before?.events ?? 0
  const names = ['bot-1', 'bot-2', 'bot-3']
  const host = createTestHost({
    clock,
    query: {
      slaves: async () => rig.views as readonly SlaveView[],
      builders: async () => [{ name: 'full', state: 'offline', slaves: ['bot-1'] } as never],
    },
    override: {
      async notify(notice) {
        if (rig.failing) throw rig.failing
        if (!keys.has(notice.key)) notices.push(notice)
        keys.add(notice.key)
        return { queued: 1 }
      },
    },
  })
  for (const [key, value] of before?.state ?? []) host.state.set(key, value)
  const event = () => ({ eventId: ++events, at: clock.now() })
  const rig: Rig = {
    clock,
    notices,
    failing: undefined,
    views: names.map((name) => ({ name, away: null })),
    async told() {
      await clock.settle()
      return notices.map(({ subject, to }) => {
        const people = to.map((one) => ('address' in one ? one.address : one.who)).join(', ')
        return `${subject.replace('[Test] ', '')} to ${people}`
      })
    },
    async missing(slave, over = {}) {
      const { eventId, at } = event()
      await host.fire('slaveMissing', {
        eventId,
        at,
        slave,
        since: at - 3_600_000,
        lastHeard: at - 3_660_000,
        admin: 'Ann',
        host: null,
        reason: null,
        running: [],
        notify: [ANN],
        ...over,
      })
    },
    async back(slave) {
      await host.fire('slaveBack', { ...event(), slave, peer: 'x', since: 0, notify: [ANN] })
    },
    async lost(slave) {
      await host.fire('slaveLost', { ...event(), slave, reason: 'cut' })
    },
    async restart() {
      await host.stop()
      return createRig(options, { state: host.state, notices, clock, events })
    },
    [Symbol.asyncDispose]: () => host.stop(),
  }
  await host.run(missingSlave(options))
  return rig
}

test('a missing slave is told once, and once more when it is back and stays', async () => {
  await using rig = await createRig()
  await rig.missing('bot-1', {
    host: 'a fast one\r\nBcc: evil@example.org',
    running: [{ build: 7, builder: 'full', number: 12 }],
  })
  await rig.clock.advance('119s')
  assert.deepEqual(await rig.told(), [])
  await rig.clock.advance('1s')
  assert.deepEqual(await rig.told(), [`slave bot-1 is missing to ${ANN}`])
  assert.equal(
    rig.notices[0]!.text,
    `The slave "bot-1" of Test is missing.

  slave          bot-1
  page           http://localhost:8010/slaves/bot-1
  away since     2001-09-09 00:46 UTC (1h2m ago)
  last heard of  2001-09-09 00:45 UTC (1h3m ago)
  admin          Ann
  host           a fast one Bcc: evil@example.org
  was building   full #12

Nothing can be built by: full.

Start it again where it lives: boltbot start BASEDIR
If it is away on purpose: boltbot away bot-1 2h "reason"

-- 
Test
`,
  )
  await rig.clock.advance('48h')
  await rig.back('bot-1')
  await rig.clock.advance('5m')
  assert.deepEqual(await rig.told(), [`slave bot-1 is missing to ${ANN}`, `slave bot-1 is back to ${ANN}`])
  await rig.clock.advance('48h')
  assert.equal(rig.notices.length, 2)
})

test('slaves that go missing at once are one message; each person hears of their own', async () => {
  await using rig = await createRig({ extraRecipients: ['boss'] })
  await rig.missing('bot-1')
  await rig.clock.advance('30s')
  await rig.missing('bot-2')
  await rig.missing('bot-3', { notify: ['joe@example.org'] })
  await rig.clock.advance('2m')
  assert.deepEqual(await rig.told(), [
    `2 slaves are missing: bot-1, bot-2 to ${ANN}`,
    '3 slaves are missing: bot-1, bot-2, bot-3 to boss',
    'slave bot-3 is missing to joe@example.org',
  ])
  for (const name of ['bot-1', 'bot-2', 'bot-3']) await rig.back(name)
  await rig.clock.advance('5m')
  assert.deepEqual((await rig.told()).slice(3), [
    `2 slaves are back: bot-1, bot-2 to ${ANN}`,
    '3 slaves are back: bot-1, bot-2, bot-3 to boss',
    'slave bot-3 is back to joe@example.org',
  ])
})

test('a slave that comes and goes is one missing slave', async () => {
  await using rig = await createRig()
  await rig.missing('bot-1')
  await rig.clock.advance('2m')
  for (let i = 0; i < 10; i++) {
    await rig.back('bot-1')
    await rig.clock.advance('2m')
    await rig.lost('bot-1')
    await rig.clock.advance('1h')
    await rig.missing('bot-1')
  }
  await rig.clock.advance('2h')
  assert.deepEqual(await rig.told(), [`slave bot-1 is missing to ${ANN}`])
  await rig.back('bot-1')
  await rig.clock.advance('5m')
  assert.deepEqual((await rig.told()).slice(1), [`slave bot-1 is back to ${ANN}`])
  assert.match(rig.notices[1]!.text, /lost {11}10 times in the last day/)
})

test('a slave that is back before anybody was told is told to nobody', async () => {
  await using rig = await createRig()
  await rig.missing('bot-1')
  await rig.clock.advance('1m')
  await rig.back('bot-1')
  await rig.clock.advance('1h')
  assert.deepEqual(await rig.told(), [])
})

test('reminders come while it is missing, not while it is away as planned, nor once it left the config', async () => {
  await using rig = await createRig({ reminder: '1d' })
  await rig.missing('bot-1')
  await rig.missing('bot-2')
  await rig.clock.advance('25h')
  assert.deepEqual((await rig.told()).slice(1), [`2 slaves are still missing: bot-1, bot-2 to ${ANN}`])
  rig.views = [{ name: 'bot-1', away: { by: 'ann', until: 0, reason: '' } }]
  await rig.clock.advance('24h')
  assert.equal((await rig.told()).length, 2)
  rig.views = [{ name: 'bot-1', away: null }]
  await rig.clock.advance('24h')
  assert.deepEqual((await rig.told()).slice(2), [`slave bot-1 is still missing to ${ANN}`])
})

test('a latent slave that did not start says why', async () => {
  await using rig = await createRig()
  await rig.missing('bot-1', { reason: 'no machines left', notify: ['ann'] })
  await rig.clock.advance('2m')
  assert.deepEqual(rig.notices[0]!.to, [{ who: 'ann' }])
  assert.match(rig.notices[0]!.text, /wanted since {3}\S.*\n {2}did not start {2}no machines left/)
})

test('a slave that nobody is to be told of is told to nobody', async () => {
  await using rig = await createRig()
  await rig.missing('bot-1', { notify: [] })
  await rig.clock.advance('1h')
  await rig.back('bot-1')
  await rig.clock.advance('1h')
  assert.deepEqual(await rig.told(), [])
})

test('a restart neither loses nor doubles: what was gathered is told, what was told is not told again', async () => {
  const first = await createRig()
  await first.missing('bot-1')
  const second = await first.restart()
  await second.clock.advance('2m')
  assert.deepEqual(await second.told(), [`slave bot-1 is missing to ${ANN}`])
  const third = await second.restart()
  await third.clock.advance('48h')
  assert.equal((await third.told()).length, 1)
  await third.back('bot-1')
  await using last = await third.restart()
  await last.clock.advance('5m')
  assert.deepEqual((await last.told()).slice(1), [`slave bot-1 is back to ${ANN}`])
})

test('what cannot be handed to the outbox is tried again; what it refuses is passed over', async () => {
  await using rig = await createRig()
  rig.failing = new Error('disk full')
  await rig.missing('bot-1')
  await rig.clock.advance('2m')
  await rig.clock.settle()
  await rig.lost('bot-2') // it must not be forgotten over this
  rig.failing = undefined
  await rig.clock.advance('1m')
  assert.deepEqual(await rig.told(), [`slave bot-1 is missing to ${ANN}`])
  rig.failing = new CiError({ code: 'BOLT_OUTBOX_NOTICE', message: 'No such address.' })
  await rig.missing('bot-2')
  await rig.clock.advance('3m')
  rig.failing = undefined
  await rig.missing('bot-3')
  await rig.clock.advance('3m')
  assert.deepEqual((await rig.told()).slice(1), [`slave bot-3 is missing to ${ANN}`])
})

test('wrong options are told', () => {
  const host = createTestHost()
  assert.throws(() => host.apply(missingSlave({ reminder: 'daily' })), /Give a number of seconds, or text such as/)
  assert.throws(() => host.apply(missingSlave({ reminder: 0 })), /Give more than no time/)
  assert.throws(() => host.apply(missingSlave({ extraRecipients: [' '] })), /Give a mail address, or a name/)
  assert.throws(() => host.apply(missingSlave({ remind: '1d' } as never)), /remind/)
})
