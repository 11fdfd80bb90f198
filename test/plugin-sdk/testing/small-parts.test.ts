import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryLog, createSeededRandom, until } from 'boltbot/plugin-sdk/testing'

test('equal seeds give equal numbers, from 0 up to but not 1', () => {
  const take = (seed: number) => Array.from({ length: 1000 }, createSeededRandom(seed).next)
  assert.deepEqual(take(7), take(7))
  assert.notDeepEqual(take(7), take(8))
  assert.ok(take(7).every((value) => value >= 0 && value < 1))
  const mean = take(7).reduce((a, b) => a + b) / 1000
  assert.ok(mean > 0.45 && mean < 0.55, `the mean is ${mean}`)
})

test('a memory log remembers levels, fields and those of its parents', () => {
  const log = createMemoryLog()
  log.info('master started')
  log
    .child({ plugin: 'lamp' })
    .child({ hook: 'buildFinished' })
    .error('tap failed', { error: new Error('no bulb') })
  assert.equal(log.lines.length, 2)
  const [line] = log.find('error', 'tap failed')
  assert.equal(line?.fields.plugin, 'lamp')
  assert.equal(line?.fields.hook, 'buildFinished')
  assert.match(log.text(), /error tap failed .*no bulb/)
})

test('until gives what the condition came to', async () => {
  let asked = 0
  const got = await until(() => (++asked > 2 ? `asked ${asked}` : undefined), { what: 'the third question' })
  assert.equal(got, 'asked 3')
  assert.equal(await until(Promise.resolve(5), { what: 'five' }), 5)
})

test('until says what it waited for and what it saw last', async () => {
  await assert.rejects(
    until(() => false, { what: 'the mail', deadline: 20, seen: () => 'an empty mailbox' }),
    {
      code: 'BOLT_TESTING_WAITED',
      message: 'Waited 20 ms in vain for the mail; last seen: an empty mailbox.',
    },
  )
  const refused = () => {
    throw new Error('connection refused')
  }
  await assert.rejects(
    until(refused, { what: 'the server', deadline: 20 }),
    /the server; last seen: connection refused/,
  )
  await assert.rejects(until(new Promise(() => {}), { what: 'a word', deadline: 20 }), /in vain for a word\.$/)
})

test('until rejects with what a promise rejects with', async () => {
  await assert.rejects(until(Promise.reject(new Error('broken')), { what: 'a word' }), /broken/)
})
