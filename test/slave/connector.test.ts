import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock, createMemoryLog, until } from 'boltbot/plugin-sdk/testing'
import { backOff, createConnector } from '../../slave/connector.ts'

test('pauses double up to the limit, each anything from half to whole', () => {
  const whole = [0, 1, 2, 3, 20, 1000].map((attempt) => backOff(attempt, 300_000, () => 0.999999))
  assert.deepEqual(whole.map(Math.round), [250, 500, 1000, 2000, 300_000, 300_000])
  assert.equal(
    backOff(1, 300_000, () => 0),
    250,
  )
  assert.equal(
    backOff(9, 1000, () => 0),
    500,
  )
})

test('an agent dials for ever and says so once', async () => {
  const clock = createFakeClock()
  const log = createMemoryLog()
  let dials = 0
  const connector = createConnector({
    url: 'ws://127.0.0.1:1', // nobody listens there
    name: 'bot',
    password: async () => {
      dials++
      return 'x'
    },
    ca: undefined,
    keepalive: 0,
    maxdelay: 300_000,
    clock,
    random: () => 0.5,
    log,
    info: async () => ({ admin: null, host: null, program: null, instance: 'here' }),
    held: () => [],
    take: () => {},
    unlinked: () => {},
    linked: () => {},
  })
  connector.start()
  const pauses: number[] = []
  for (let attempt = 1; attempt <= 14; attempt++) {
    const [next] = await until(() => (dials === attempt && clock.pending().length > 0 ? clock.pending() : null), {
      what: `a pause after attempt ${attempt}`,
    })
    pauses.push(next!.at - clock.now())
    await clock.advance(pauses.at(-1)!)
  }
  assert.equal(pauses[0], 187.5)
  assert.equal(pauses.at(-1), 225_000)
  assert.equal(log.find('warn').length, 1, log.text())
  assert.match(String(log.find('warn')[0]!.fields.reason), /ECONNREFUSED/)
  await until(() => clock.pending().length > 0, { what: 'the last pause' })
  assert.equal(connector.lonelySince, 1_000_000_000_000)
  await connector.stop('the test is over')
})
