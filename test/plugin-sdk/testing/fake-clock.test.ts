import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'

test('timers fire in order of their time, then of their making, each at its own now', async () => {
  const clock = createFakeClock({ start: 1000 })
  const fired: string[] = []
  clock.timer(300, () => fired.push(`c at ${clock.now()}`))
  clock.timer(100, () => fired.push(`a at ${clock.now()}`))
  clock.timer(100, () => fired.push(`b at ${clock.now()}`))
  await clock.advance(299)
  assert.deepEqual(fired, ['a at 1100', 'b at 1100'])
  await clock.advance(1)
  assert.deepEqual(fired, ['a at 1100', 'b at 1100', 'c at 1300'])
  assert.equal(clock.now(), 1300)
})

test('advance takes a duration text and refuses what is none', async () => {
  const clock = createFakeClock({ start: 0 })
  await clock.advance('1h30m')
  assert.equal(clock.now(), 5_400_000)
  assert.throws(() => clock.advance('soon'), { code: 'BOLT_TESTING_ADVANCE' })
  assert.throws(() => clock.advance(-1), { code: 'BOLT_TESTING_ADVANCE' })
})

test('promises settle between timers, and timers made on the way fire too', async () => {
  const clock = createFakeClock({ start: 0 })
  const seen: number[] = []
  const loop = async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(10)
      await Promise.resolve()
      seen.push(clock.now())
    }
  }
  const looping = loop()
  await clock.advance(30)
  assert.deepEqual(seen, [10, 20, 30])
  await looping
})

test('a disposed timer does not fire, and disposing it twice is fine', async () => {
  const clock = createFakeClock()
  const timer = clock.timer(5, () => assert.fail('fired'))
  timer[Symbol.dispose]()
  timer[Symbol.dispose]()
  await clock.advance(10)
  assert.deepEqual(clock.pending(), [])
})

test('an aborted sleep rejects with the reason and leaves no timer', async () => {
  const clock = createFakeClock()
  const abort = new AbortController()
  const slept = assert.rejects(clock.sleep(1000, abort.signal), /enough/)
  abort.abort(new Error('enough'))
  await slept
  assert.deepEqual(clock.pending(), [])
  await assert.rejects(clock.sleep(1, abort.signal), /enough/)
})

test('pending timers say when they fire and where they were made', () => {
  const clock = createFakeClock({ start: 0 })
  clock.timer(20, () => {})
  void clock.sleep(10)
  const [first, second, ...others] = clock.pending()
  assert.deepEqual([first?.at, first?.kind, second?.at, second?.kind, others], [10, 'sleep', 20, 'timer', []])
  assert.match(first?.madeAt.split('\n')[0] ?? '', /fake-clock\.test\.ts/)
})

test('what a timer throws rejects advance, or goes to the log when there is one; later timers fire either way', async () => {
  const bare = createFakeClock()
  let later = 0
  bare.timer(1, () => {
    throw new Error('lamp broke')
  })
  bare.timer(2, () => later++)
  await assert.rejects(bare.advance(5), /lamp broke/)
  const log = createMemoryLog()
  const logged = createFakeClock({ log })
  logged.timer(1, () => {
    throw new Error('lamp broke')
  })
  logged.timer(2, () => later++)
  await logged.advance(5)
  assert.equal(later, 2)
  assert.equal(log.find('error', 'timer failed').length, 1)
})

test('two advances at once come one after the other', async () => {
  const clock = createFakeClock({ start: 0 })
  await Promise.all([clock.advance(10), clock.advance(5)])
  assert.equal(clock.now(), 15)
})
