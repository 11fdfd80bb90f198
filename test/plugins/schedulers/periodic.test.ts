import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PeriodicOptions, periodic } from 'boltbot/plugins/schedulers'
import fc from 'fast-check'
import { changeOf, follow, rulesOf } from './follow.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const plugin = (options: Partial<PeriodicOptions> = {}) =>
  periodic({ name: 'often', builders: ['full'], periodicBuildTimer: '1h', ...options })
const run = (options: Partial<PeriodicOptions> = {}, now = 0) => {
  const followed = follow(plugin(options))
  followed.start(now)
  return followed
}
const times = (followed: ReturnType<typeof follow>) => followed.built.map((one) => one.at)

describe('a periodic scheduler', () => {
  it('builds the newest of its branch at its first start, and then every period', async () => {
    const followed = run({ branch: 'main' })
    followed.until(2.5 * HOUR)
    assert.deepEqual(times(followed), [0, HOUR, 2 * HOUR])
    assert.deepEqual(followed.built[0], { at: 0, reason: 'scheduler "often"', sourceStamp: { branch: 'main' } })
    assert.match(followed.waiting ?? '', /^next build at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
    assert.equal(await rulesOf(plugin({ branch: 'main' })).wants?.(changeOf({})), false)
  })

  it('counts from when it built last, over restarts, and whoever asked for it', () => {
    const first = run()
    first.now(10 * MINUTE)
    const second = first.again(plugin())
    second.start(50 * MINUTE)
    assert.equal(second.wakeAt, 70 * MINUTE)
    second.until(80 * MINUTE)
    assert.deepEqual([...times(first), ...times(second)], [0, 10 * MINUTE, 70 * MINUTE])
  })

  it('builds once when the master was down for long, and counts from then', () => {
    const second = run().again(plugin())
    second.start(10.5 * HOUR)
    second.until(12 * HOUR)
    assert.deepEqual(times(second), [10.5 * HOUR, 11.5 * HOUR])
  })

  it('takes over another period, counted from its last build', () => {
    const longer = run().again(plugin({ periodicBuildTimer: '3h' }))
    longer.start(30 * MINUTE)
    assert.equal(longer.wakeAt, 3 * HOUR)
    const shorter = longer.again(plugin({ periodicBuildTimer: 600 }))
    shorter.start(40 * MINUTE)
    assert.deepEqual([...times(longer), ...times(shorter)], [40 * MINUTE])
  })

  it('does not wait for an old time to come again when the clock was set back', () => {
    const second = run({}, 100 * HOUR).again(plugin())
    second.start(HOUR)
    assert.equal(second.wakeAt, 2 * HOUR)
  })

  it('begins anew on the state of another kind of scheduler', () => {
    for (const stored of [[], null, 7, { kind: 'nightly', next: 5, last: 5, trees: [] }]) {
      const followed = follow(plugin(), stored, 5)
      followed.start(HOUR)
      assert.deepEqual(times(followed), [HOUR])
    }
  })
})

describe('a periodic scheduler that builds only what changed', () => {
  const options = { branch: 'main', onlyIfChanged: true } as const

  it('looks once a period, and builds what came', () => {
    const followed = run(options)
    assert.deepEqual(followed.built, [])
    assert.match(followed.waiting ?? '', /, if something changes until then$/)
    followed.change(1, 10 * MINUTE, { important: false })
    followed.until(HOUR)
    followed.change(2, 70 * MINUTE)
    assert.match(followed.waiting ?? '', /, 2 changes wait$/)
    followed.until(5 * HOUR)
    assert.deepEqual(followed.built, [{ at: 2 * HOUR, reason: 'scheduler "often"', changes: [1, 2] }])
  })

  it('forgets what it gathered when it is to build whatever comes', () => {
    const first = run(options)
    first.change(1, 10 * MINUTE)
    const second = first.again(plugin({ branch: 'main' }))
    second.start(20 * MINUTE)
    second.until(HOUR)
    assert.deepEqual(second.built[0]?.changes, undefined)
    assert.deepEqual(second.state, { kind: 'periodic', last: HOUR, trees: [] })
  })
})

it('from one build to the next there is a period, or a time when the master was down', () => {
  const action = fc.record({ down: fc.boolean(), minutes: fc.integer({ min: 0, max: 200 }) })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const lives = [run()]
      let now = 0
      let due = HOUR
      const expected = [0]
      const expect = (at: number) => {
        expected.push(at)
        due = at + HOUR
      }
      for (const { down, minutes } of actions) {
        now += minutes * MINUTE
        if (down) {
          lives.push(lives.at(-1)!.again(plugin()))
          lives.at(-1)!.start(now)
          if (due <= now) expect(now)
        } else {
          lives.at(-1)!.until(now)
          while (due <= now) expect(due)
        }
      }
      assert.deepEqual(
        lives.flatMap((life) => times(life)),
        expected,
      )
      assert.equal(lives.at(-1)!.wakeAt, due)
    }),
    { seed: 7 },
  )
})
