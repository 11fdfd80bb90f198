import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SchedulerView } from 'boltbot/plugin-sdk'
import { createFakeClock, createTestHost } from 'boltbot/plugin-sdk/testing'
import { type ConsoleOptions, consoleStatus } from 'boltbot/plugins/status/console'
import { AT, change, finished } from './events.ts'

describe('console', () => {
  it('tells the story, a line each, in the order of the walk', async () => {
    await using told = await listen()
    const { test } = told
    const build = { build: 7, builder: 'full', number: 12 }
    const place = { branch: 'main', revision: change().revision }
    await test.fire('slaveConnected', { at: AT, slave: 'bot-linux', peer: '127.0.0.1:5000' })
    await test.fire('changeAccepted', { at: AT, change: change() })
    await test.fire('buildsetCreated', {
      at: AT,
      buildset: 3,
      builders: ['full'],
      scheduler: 'tests',
      owner: null,
      reason: 'scheduler "tests"',
      changes: [1],
    })
    await test.fire('requestQueued', {
      at: AT,
      request: 5,
      buildset: 3,
      builder: 'full',
      cause: 'submitted',
      reason: '',
    })
    await test.fire('buildStarted', {
      at: AT,
      ...build,
      ...place,
      slave: 'bot-linux',
      requests: [5],
      changes: [1],
      blamelist: [],
      reason: 'scheduler "tests"',
    })
    await test.fire('stepStarted', { at: AT, ...build, step: 0, name: 'git', text: 'updating' })
    await test.fire('stepFinished', { at: AT + 800, ...build, step: 0, name: 'git', result: 'success', text: 'update' })
    await test.fire('stepFinished', {
      at: AT + 2000,
      ...build,
      step: 1,
      name: 'compile',
      result: 'failure',
      text: 'compile failed',
    })
    await test.fire('buildFinished', finished())
    await test.fire('slaveLost', { at: AT, slave: 'bot-linux', reason: 'connection reset' })
    await test.fire('requestQueued', {
      at: AT,
      request: 5,
      buildset: 3,
      builder: 'full',
      cause: 'retry',
      reason: 'lost',
    })
    await test.fire('requestCancelled', { at: AT, request: 5, buildset: 3, builder: 'full', who: 'joe', reason: 'no' })
    await test.fire('sourceFailing', { at: AT, source: 'git/r', error: 'no route', failures: 3 })
    await test.fire('configRejected', { at: AT, problems: ['master.cfg.ts:3:1 bad'] })
    assert.deepEqual(told.lines(), [
      'slave     bot-linux attached from 127.0.0.1:5000',
      'change    1 main 1a2b3c4d5e6f by Jane Doe <jane@example.org>: Break the build (2 files)',
      'buildset  3 for full: scheduler "tests" (1 change)',
      'request   5 for full waits',
      'build     full #12 on bot-linux: main 1a2b3c4d5e6f, scheduler "tests"',
      'step      full #12 updating …',
      'step      full #12 update, 800ms',
      'step      full #12 compile failed',
      'result    full #12 failure: failed compile, 1m12s, blamed: Jane Doe <jane@example.org>',
      'slave     bot-linux lost: connection reset',
      'request   5 for full waits again: lost',
      'request   5 for full cancelled by joe: no',
      'source    git/r fails, 3 times in a row: no route',
      'config    rejected, 1 problem; the old one stays',
      'config    master.cfg.ts:3:1 bad',
    ])
    assert.ok(!told.printed().includes('\x1b'))
  })

  it('begins each line with the time of the event', async () => {
    await using told = await listen()
    await told.test.fire('slaveLost', { at: AT, slave: 'b', reason: 'x' })
    assert.equal(told.printed().slice(0, 9), `${new Date(AT).toTimeString().slice(0, 8)} `)
  })

  it('colours results on a terminal and when told, and never when told not to', async () => {
    const printed = async (options: ConsoleOptions, isTTY: boolean) => {
      await using told = await listen(options, isTTY)
      await told.test.fire('buildFinished', finished())
      return told.printed()
    }
    const red = '\x1b[31mfailure: failed compile\x1b[0m'
    assert.ok((await printed({}, true)).includes(red))
    assert.ok((await printed({ color: 'always' }, false)).includes(red))
    assert.ok(!(await printed({}, false)).includes('\x1b'))
    assert.ok(!(await printed({ color: 'never' }, true)).includes('\x1b[31m'))
  })

  it('lets no control character of a stranger through', async () => {
    await using told = await listen({ color: 'never' })
    const evil = '\x1b]0;owned\x07\x1b[2J\r\n12:00:00 result    forged\u009b31m\u202eabc'
    await told.test.fire('changeAccepted', {
      change: change({ who: evil, comments: `x${evil}`, branch: evil, revision: evil }),
    })
    await told.test.fire(
      'buildFinished',
      finished({ blamelist: [evil], text: [evil], builder: evil, result: 'failure' }),
    )
    await told.test.fire('configRejected', { problems: [evil] })
    for (const line of told.printed().split('\n')) assert.doesNotMatch(line, /[\p{Cc}\u202e]/u)
    assert.equal(told.printed().split('\n').length, 5)
  })

  it('tells once what a scheduler waits for, and again when that changes', async () => {
    await using told = await listen()
    told.schedulers.push({ name: 'tests', waiting: 'tree not stable until 12:00:43', wakeAt: AT + 60_000 })
    await told.test.fire('changeAccepted', { change: change() })
    await told.test.clock.advance('1s')
    await told.test.fire('changeAccepted', { change: change({ id: 2 }) })
    await told.test.clock.advance('1s')
    told.schedulers[0] = { name: 'tests', waiting: 'tree not stable until 12:00:50', wakeAt: AT + 67_000 }
    await told.test.fire('changeAccepted', { change: change({ id: 3 }) })
    await told.test.clock.advance('1s')
    told.schedulers[0] = { name: 'tests', waiting: null, wakeAt: null }
    await told.test.clock.advance('2m')
    assert.deepEqual(
      told.lines().filter((line) => line.startsWith('scheduler')),
      ['scheduler tests: tree not stable until 12:00:43', 'scheduler tests: tree not stable until 12:00:50'],
    )
    assert.deepEqual(told.test.clock.pending(), [])
  })

  it('counts down in place on a terminal', async () => {
    await using told = await listen({ color: 'never' }, true)
    told.schedulers.push({ name: 'tests', waiting: 'tree not stable', wakeAt: AT + 3000 })
    await told.test.fire('changeAccepted', { at: AT, change: change() })
    await told.test.clock.advance(2200)
    await told.test.fire('slaveLost', { at: AT, slave: 'b', reason: 'x' })
    told.schedulers.length = 0
    await told.test.clock.advance('5s')
    const shown = told
      .printed()
      .split('\r\x1b[K')
      .map((part) => part.replace(/^\d\d:\d\d:\d\d /, ''))
    assert.deepEqual(shown.slice(1, 4), ['… tests in 3s', '… tests in 2s', '… tests in 1s'])
    assert.match(shown[4] ?? '', /^slave {5}b lost: x\n… tests in 1s$/)
    assert.equal(shown.at(-1), '')
  })

  it('leaves no timer when it is stopped', async () => {
    const told = await listen({}, true)
    told.schedulers.push({ name: 'tests', waiting: 'x', wakeAt: AT + 3000 })
    await told.test.fire('changeAccepted', { change: change() })
    await told.test.clock.advance(500)
    await told.test.stop()
    assert.deepEqual(told.test.leaks(), [])
    assert.ok(told.printed().endsWith('\r\x1b[K'))
  })
})

async function listen(options: ConsoleOptions = {}, isTTY = false) {
  const parts: string[] = []
  const schedulers: SchedulerView[] = []
  const test = createTestHost({
    clock: createFakeClock({ start: AT }),
    query: { schedulers: async () => schedulers },
  })
  await test.run(consoleStatus({ stream: { write: (text: string) => parts.push(text), isTTY }, ...options }))
  return {
    test,
    schedulers,
    printed: () => parts.join(''),
    lines: () =>
      parts
        .join('')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.slice(9)),
    [Symbol.asyncDispose]: () => test.stop(),
  }
}
