import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuilderView, BuildView, SlaveView } from 'boltbot/plugin-sdk'
import { eventLine } from '../../../core/cli/event-line.ts'
import { draw, type View } from '../../../core/cli/watch/draw.ts'
import { keysOf } from '../../../core/cli/watch/keys.ts'
import type { Snapshot } from '../../../core/cli/watch/state.ts'

const NOW = 1_000_000_000
const builder = (name: string, over: Partial<BuilderView> = {}) =>
  ({ name, state: 'idle', waiting: 0, building: [], lastResult: null, lastBuild: null, ...over }) as BuilderView // what is drawn
const build = (name: string, number: number, over: Partial<BuildView> = {}) =>
  ({
    builder: name,
    number,
    startedAt: NOW - 60_000,
    finishedAt: NOW - 30_000,
    result: 'success',
    text: ['build successful'],
    steps: [],
    ...over,
  }) as unknown as BuildView // as above
const snapshot = (over: Partial<Snapshot> = {}): Snapshot => ({
  project: 'Hello',
  builders: [],
  slaves: [],
  waiting: [],
  ...over,
})
const view = (over: Partial<View> = {}): View => ({
  columns: 80,
  rows: 20,
  now: NOW,
  chosen: 0,
  message: '',
  connected: true,
  color: false,
  ...over,
})

test('the dashboard shows builders with their boxes, what runs and how long, what waits and why, and slaves', () => {
  const step = { number: 0, name: 'test', text: 'testing', startedAt: 0, finishedAt: null, result: null, logs: [] }
  const lines = draw(
    snapshot({
      builders: [
        {
          builder: builder('full', { lastResult: 'failure', waiting: 2, building: [3] }),
          builds: [
            build('full', 2, {
              finishedAt: null,
              result: null,
              steps: [step],
              eta: { at: NOW + 60_000, low: NOW, high: NOW },
            }),
            build('full', 1, { result: 'failure' }),
            build('full', 0),
          ],
        },
        { builder: builder('docs', { state: 'offline' }), builds: [] },
      ],
      waiting: [
        {
          request: { id: 9, builder: 'full', submittedAt: NOW - 5000, state: 'waiting' },
          why: { text: 'slave bot busy\u001b[2J with full #2' },
        },
      ],
      slaves: [{ name: 'bot', state: 'building', builds: 1, missing: false, paused: null } as unknown as SlaveView],
    }),
    view(),
  )
  assert.match(lines[0]!, /^Hello {2}1 red, 1 building, 1 waiting +\d\d:\d\d:\d\d$/)
  assert.match(lines[2]!, /^▸ {2}\* {2}full {14}\+X\* {2}#2 testing █████░░░░░ 1m left \+2$/)
  assert.match(lines[3]!, /^ {3}\. {2}docs +no slave is here$/)
  assert.ok(lines.includes('  9 full 5s  slave bot busy [2J with full #2'))
  assert.ok(lines.includes('   *  bot      building, 1'))
  assert.equal(lines.length, 20)
  assert.match(lines.at(-1)!, /q quit$/)
})

test('it fits any terminal, coloured or not, and scrolls to the chosen builder', () => {
  const builders = Array.from({ length: 60 }, (_, i) => ({
    builder: builder(`builder-${i} with a long name`),
    builds: [build('x', 1, { result: 'exception', text: ['x'.repeat(200)] })],
  }))
  for (const [columns, rows, color] of [
    [200, 50, true],
    [80, 24, true],
    [40, 10, false],
    [10, 5, true],
  ] as const) {
    const lines = draw(snapshot({ builders }), view({ columns, rows, color, chosen: 40 }))
    assert.equal(lines.length, rows)
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room
      assert.ok(line.replace(/\u001b\[[\d;]*m/g, '').length <= columns, line)
      if (!color) assert.ok(!line.includes('\u001b'))
    }
  }
  assert.ok(
    draw(snapshot({ builders }), view({ chosen: 40 })).some(
      (line) => line.startsWith('▸') && line.includes('builder-40'),
    ),
  )
})

test('a master that is gone is said', () => {
  assert.match(draw(snapshot(), view({ connected: false }))[0]!, /not connected/)
})

test('keys are known as terminals send them', () => {
  assert.deepEqual(keysOf('\u001b[A\u001bOBjkq\r\u007f\u0003\u001bü'), [
    'up',
    'down',
    'down',
    'up',
    'q',
    'enter',
    'backspace',
    'ctrl-c',
    'escape',
    'ü',
  ])
})

test('an event is one line, whatever is in it', () => {
  const at = Date.parse('2026-01-02T03:04:05Z')
  const line = (name: string, event: object) => eventLine({ name, event: { eventId: 1, at, ...event } } as never)
  assert.equal(
    line('buildFinished', {
      builder: 'full',
      number: 3,
      result: 'failure',
      text: ['failed', 'test'],
      startedAt: at - 90_000,
    }),
    '2026-01-02T03:04:05.000Z  buildFinished  full/3  failure: failed test, 1m30s',
  )
  assert.equal(
    line('changeAccepted', {
      change: { id: 7, who: 'jane', branch: 'main', revision: null, comments: '\u001b[31mFix\nmore' },
    }),
    '2026-01-02T03:04:05.000Z  changeAccepted  7  main by jane:  [31mFix',
  )
  assert.equal(
    line('slaveLost', { slave: 'bot', reason: 'it left' }),
    '2026-01-02T03:04:05.000Z  slaveLost  slave=bot reason=it left',
  )
})
