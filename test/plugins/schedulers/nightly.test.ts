import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type NightlyOptions, nightly } from 'boltbot/plugins/schedulers'
import fc from 'fast-check'
import { createTimetable } from '../../../plugins/schedulers/nightly/timetable.ts'
import { changeOf, type Follow, follow, rulesOf } from './follow.ts'

const HOUR = 3_600_000

const at = (text: string) => Date.parse(text)
const plugin = (options: Partial<NightlyOptions>) =>
  nightly({ name: 'nightly', builders: ['full'], timeZone: 'UTC', ...options })
const run = (options: Partial<NightlyOptions>, since: string) => {
  const followed = follow(plugin(options))
  followed.start(at(since))
  return followed
}
const times = (followed: Follow) => followed.built.map((one) => new Date(one.at).toISOString().slice(0, 16))
/** The moments of the builds between two moments. */
const builds = (options: Partial<NightlyOptions>, from: string, to: string) => {
  const followed = run(options, from)
  followed.until(at(to))
  return times(followed)
}

describe('the times of a nightly', () => {
  it('are those of its fields', () => {
    const days = (options: Partial<NightlyOptions>) => builds(options, '2026-11-01T00:00:30Z', '2026-11-09T00:00Z')
    assert.deepEqual(days({ hour: 3, dayOfMonth: [2, 7] }), ['2026-11-02T03:00', '2026-11-07T03:00'])
    assert.deepEqual(days({ hour: 3, minute: 15, dayOfMonth: '2-3' }), ['2026-11-02T03:15', '2026-11-03T03:15'])
    assert.deepEqual(days({ hour: [9, '17-18'], dayOfWeek: 'wed' }), [
      '2026-11-04T09:00',
      '2026-11-04T17:00',
      '2026-11-04T18:00',
    ])
    assert.deepEqual(days({ hour: 3, month: 'dec' }), [])
    assert.equal(days({}).length, 8 * 24)
    assert.equal(days({ minute: '*/20' }).length, 8 * 24 * 3)
  })

  it('count days of the week from Monday in numbers, as cron does in text', () => {
    // The first of November 2026 is a Sunday.
    const days = (dayOfWeek: NightlyOptions['dayOfWeek']) =>
      builds({ hour: 3, dayOfWeek }, '2026-11-01T00:00Z', '2026-11-08T00:00Z').map((time) => Number(time.slice(8, 10)))
    assert.deepEqual(days(0), [2])
    assert.deepEqual(days(6), [1])
    assert.deepEqual(days([0, 'sun']), [1, 2])
    assert.deepEqual(days('0'), [1])
    assert.deepEqual(days('7'), [1])
    assert.deepEqual(days('mon-fri'), [2, 3, 4, 5, 6])
  })

  it('are right when either the day of the month or that of the week is, as in cron', () => {
    const options = { hour: 3, dayOfMonth: 4, dayOfWeek: 'sun' }
    assert.deepEqual(builds(options, '2026-11-01T00:00Z', '2026-11-08T00:00Z'), [
      '2026-11-01T03:00',
      '2026-11-04T03:00',
    ])
  })

  it('may be a cron text, with seconds or by a name', () => {
    const days = (cron: string) => builds({ cron }, '2026-11-01T12:00Z', '2026-11-03T12:00Z')
    assert.deepEqual(days('30 4 * * *'), ['2026-11-02T04:30', '2026-11-03T04:30'])
    assert.deepEqual(days('0 30 4 * * *'), ['2026-11-02T04:30', '2026-11-03T04:30'])
    assert.deepEqual(days('@daily'), ['2026-11-02T00:00', '2026-11-03T00:00'])
  })

  it('that daylight saving leaves out come as soon as the clock goes on', () => {
    // At 02:00 on 29 March 2026 the clocks of Berlin go to 03:00, which is 01:00 UTC.
    const options = { hour: 2, minute: 30, timeZone: 'Europe/Berlin' }
    assert.deepEqual(builds(options, '2026-03-28T00:00Z', '2026-03-31T00:00Z'), [
      '2026-03-28T01:30',
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ])
  })

  it('that daylight saving has twice come once, and those of every hour each time', () => {
    // At 03:00 on 25 October 2026 the clocks of Berlin go back to 02:00.
    const options = { hour: 2, minute: 30, timeZone: 'Europe/Berlin' }
    assert.deepEqual(builds(options, '2026-10-24T12:00Z', '2026-10-26T12:00Z'), [
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ])
    assert.deepEqual(builds({ minute: 30, timeZone: 'Europe/Berlin' }, '2026-10-25T00:00Z', '2026-10-25T03:00Z'), [
      '2026-10-25T00:30',
      '2026-10-25T01:30',
      '2026-10-25T02:30',
    ])
  })

  it('are in words, and where the master wakes', () => {
    const followed = run({ hour: 3, timeZone: 'Europe/Berlin' }, '2026-11-21T12:00Z')
    assert.equal(followed.wakeAt, at('2026-11-22T02:00Z'))
    assert.equal(followed.waiting, 'next build at 2026-11-22 03:00:00 Europe/Berlin')
    assert.match(
      run({ hour: 3, timeZone: undefined }, '2026-11-21T12:00Z').waiting ?? '',
      /^next build at 2026-11-\d\d 03:00:00$/,
    )
  })
})

describe('a nightly', () => {
  it('builds the newest of its branch, and no change is its', async () => {
    const followed = run({ hour: 3, branch: 'main', properties: { colour: 'red' }, priority: 2 }, '2026-11-21T12:00Z')
    followed.until(at('2026-11-22T12:00Z'))
    assert.deepEqual(followed.built, [
      {
        at: at('2026-11-22T03:00Z'),
        reason: 'scheduler "nightly"',
        properties: { colour: 'red' },
        priority: 2,
        sourceStamp: { branch: 'main' },
      },
    ])
    assert.equal(await rulesOf(plugin({ hour: 3, branch: 'main' })).wants?.(changeOf({})), false)
  })

  it('does not build at its first start, and its time stands over restarts', () => {
    const first = run({ hour: 3 }, '2026-11-21T12:00Z')
    const second = first.again(plugin({ hour: 3 }))
    second.start(at('2026-11-21T20:00Z'))
    second.until(at('2026-11-22T12:00Z'))
    assert.deepEqual([...times(first), ...times(second)], ['2026-11-22T03:00'])
  })

  it('makes up once for all that it missed while the master was down', () => {
    const first = run({ hour: 3 }, '2026-11-21T12:00Z')
    const second = first.again(plugin({ hour: 3 }))
    second.start(at('2026-11-25T12:00Z'))
    assert.deepEqual(times(second), ['2026-11-25T12:00'])
    second.start(at('2026-11-25T12:01Z'))
    second.until(at('2026-11-26T12:00Z'))
    assert.deepEqual(times(second), ['2026-11-25T12:00', '2026-11-26T03:00'])
  })

  it('makes up for nothing when it is told so', () => {
    const options = { hour: 3, catchUp: false }
    const first = run(options, '2026-11-21T12:00Z')
    const second = first.again(plugin(options))
    second.start(at('2026-11-25T12:00Z'))
    second.until(at('2026-11-26T12:00Z'))
    assert.deepEqual(times(second), ['2026-11-26T03:00'])
  })

  it('takes over another time from now on: what the new one had earlier is not made up for', () => {
    const first = run({ hour: 3 }, '2026-11-21T12:00Z')
    const second = first.again(plugin({ hour: 11 }))
    second.start(at('2026-11-21T12:00Z'))
    second.until(at('2026-11-22T12:00Z'))
    assert.deepEqual(times(second), ['2026-11-22T11:00'])
  })

  it('runs a time once though the clock is set back behind it', () => {
    const followed = run({ hour: 3 }, '2026-11-21T12:00Z')
    followed.until(at('2026-11-22T03:00Z'))
    const again = followed.again(plugin({ hour: 3 }))
    again.start(at('2026-11-22T02:00Z'))
    again.until(at('2026-11-23T12:00Z'))
    assert.deepEqual([...times(followed), ...times(again)], ['2026-11-22T03:00', '2026-11-23T03:00'])
  })

  it('does not wait for years when the clock was once wrong by them', () => {
    const followed = run({ hour: 3 }, '2036-11-21T12:00Z')
    followed.until(at('2036-11-22T03:00Z'))
    const again = followed.again(plugin({ hour: 3 }))
    again.start(at('2026-11-22T02:00Z'))
    assert.equal(again.wakeAt, at('2026-11-22T03:00Z'))
  })

  it('builds now when it is asked to, and at its time as well', () => {
    const followed = run({ hour: 3 }, '2026-11-21T12:00Z')
    followed.now(at('2026-11-21T13:00Z'))
    followed.until(at('2026-11-22T12:00Z'))
    assert.deepEqual(times(followed), ['2026-11-21T13:00', '2026-11-22T03:00'])
  })

  it('begins anew on the state of another kind of scheduler', () => {
    for (const stored of [[], null, 7, { kind: 'periodic', last: 0, trees: [] }]) {
      const followed = follow(plugin({ hour: 3 }), stored, 5)
      followed.start(at('2026-11-21T12:00Z'))
      assert.deepEqual(followed.built, [])
      assert.equal(followed.wakeAt, at('2026-11-22T03:00Z'))
    }
  })
})

describe('a nightly that builds only what changed', () => {
  const options = { hour: 3, branch: 'main', onlyIfChanged: true } as const

  it('does nothing when nothing changed, or nothing that matters', () => {
    const followed = run(options, '2026-11-21T12:00Z')
    assert.match(followed.waiting ?? '', /, if something changes until then$/)
    followed.until(at('2026-11-22T12:00Z'))
    followed.change(1, at('2026-11-22T13:00Z'), { important: false })
    followed.until(at('2026-11-23T12:00Z'))
    assert.deepEqual(followed.built, [])
  })

  it('builds what came, with the unimportant ones that waited, each repository for itself', () => {
    const followed = run(options, '2026-11-21T12:00Z')
    followed.change(1, at('2026-11-21T13:00Z'), { important: false })
    followed.until(at('2026-11-22T13:00Z'))
    followed.change(2, at('2026-11-22T13:00Z'))
    followed.change(3, at('2026-11-22T14:00Z'), { repository: 'other' })
    assert.match(followed.waiting ?? '', /, 3 changes wait$/)
    followed.until(at('2026-11-24T12:00Z'))
    assert.deepEqual(
      followed.built.map(({ changes, sourceStamp }) => [changes, sourceStamp]),
      [
        [[1, 2], undefined],
        [[3], undefined],
      ],
    )
    assert.deepEqual(times(followed), ['2026-11-23T03:00', '2026-11-23T03:00'])
  })

  it('builds now what there is, and the newest when there is nothing', () => {
    const followed = run(options, '2026-11-21T12:00Z')
    followed.change(1, at('2026-11-21T13:00Z'), { important: false })
    followed.now(at('2026-11-21T14:00Z'))
    followed.now(at('2026-11-21T15:00Z'))
    assert.deepEqual(
      followed.built.map(({ changes, sourceStamp }) => changes ?? sourceStamp),
      [[1], { branch: 'main' }],
    )
  })

  it('judges the changes of its branch', async () => {
    const { wants } = rulesOf(plugin({ ...options, fileIsImportant: (change) => change.files.includes('a.c') }))
    assert.equal(await wants?.(changeOf({})), true)
    assert.equal(await wants?.(changeOf({ files: ['b.c'] })), 'unimportant')
    assert.equal(await wants?.(changeOf({ branch: 'other' })), false)
  })
})

describe('a nightly, whatever happens when', () => {
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/New_York')
  const action = fc.record({
    what: fc.constantFrom('wait', 'down', 'now', 'reconfigure', 'change', 'unimportant'),
    hours: fc.integer({ min: 0, max: 60 }),
  })
  type Action = { readonly what: string; readonly hours: number }

  /** Lives through the actions; all that was built, and how much that should be when it builds whether anything changed or not. */
  function live(actions: readonly Action[], options: Partial<NightlyOptions>) {
    const timetable = createTimetable('30 2,14 * * *', options.timeZone)
    const slots = (from: number, to: number) => {
      let count = 0
      for (let slot = timetable.after(from); slot !== null && slot <= to; slot = timetable.after(slot)) count++
      return count
    }
    const all = { ...options, hour: [2, 14], minute: 30, branch: 'main' }
    const lives = [follow(plugin(all))]
    const current = () => lives.at(-1)!
    let now = at('2026-03-20T00:00Z')
    let changes = 0
    let expected = 0
    current().start(now)
    for (const { what, hours } of actions) {
      const until = now + hours * HOUR
      if (what === 'wait') {
        expected += slots(now, until)
        current().until(until)
        now = until
      } else if (what === 'down' || what === 'reconfigure') {
        lives.push(current().again(plugin(all)))
        if (what === 'down') {
          expected += options.catchUp ? Math.min(1, slots(now, until)) : 0
          now = until
        }
        current().start(now)
      } else if (what === 'now') {
        expected++
        current().now(now)
      } else current().change(++changes, now, { important: what === 'change' })
      assert.equal(current().wakeAt, timetable.after(now))
    }
    return { built: lives.flatMap((one) => one.built), expected, changes }
  }

  it('runs each time once, and makes up once for those of a time when the master was down, or not', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), zone, fc.boolean(), (actions, timeZone, catchUp) => {
        const { built, expected } = live(actions, { timeZone, catchUp })
        assert.equal(built.length, expected)
      }),
      { seed: 7 },
    )
  })

  it('builds each change at most once, in order, and all but unimportant ones by the next time', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), zone, (actions, timeZone) => {
        const lived = live([...actions, { what: 'change', hours: 0 }, { what: 'wait', hours: 24 }], {
          timeZone,
          onlyIfChanged: true,
        })
        assert.deepEqual(
          lived.built.flatMap(({ changes = [] }) => changes),
          Array.from({ length: lived.changes }, (_, i) => i + 1),
        )
      }),
      { seed: 7 },
    )
  })
})
