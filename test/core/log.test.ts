import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, type LogDeps } from '../../core/log.ts'
import { CiError } from '../../plugin-sdk/errors.ts'

function createRig(options: Partial<LogDeps> = {}) {
  const lines: string[] = []
  const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) }
  const log = createLog({
    write: (line) => void lines.push(line),
    format: 'json',
    level: 'info',
    redact: (line) => line,
    clock,
    ...options,
  })
  return { log, lines, objects: () => lines.map((line) => JSON.parse(line)) }
}

test('a line is one JSON object with time, level, message and fields', () => {
  const { log, objects } = createRig()
  log.child({ builder: 'full' }).info('build started', { build: 7, empty: undefined })
  assert.deepEqual(objects(), [
    { at: '2026-01-02T03:04:05.006Z', level: 'info', message: 'build started', builder: 'full', build: 7 },
  ])
})

test('lines below the level are dropped', () => {
  const { log, objects } = createRig({ level: 'warn' })
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  assert.deepEqual(
    objects().map(({ message }) => message),
    ['c', 'd'],
  )
})

test('an error is its code and message, with the stack only at level debug', () => {
  const cause = new Error('deep')
  cause.stack = 'Error: deep\n    at apply (file:///ci/lamp.ts:7:3)'
  const error = new CiError({ code: 'BOLT_X', message: 'No.', hint: 'Yes.', cause })
  const { log, objects } = createRig()
  log.error('it failed', { error })
  assert.deepEqual(objects()[0].error, {
    code: 'BOLT_X',
    message: 'No.',
    hint: 'Yes.',
    cause: { name: 'Error', message: 'deep', place: 'at apply (file:///ci/lamp.ts:7:3)' },
  })
  const verbose = createRig({ level: 'debug' })
  verbose.log.error('it failed', { error })
  assert.match(verbose.objects()[0].error.stack, /CiError: No\./)
})

test("a slip in somebody's code is logged with its place, without the mark of the reload", () => {
  const error = new TypeError('oops')
  error.stack =
    'TypeError: oops\n    at Object.fetch (node:internal/deps/undici:1:2)\n    at tap (file:///ci/lamp.ts?gen=4ae6-62ae:7:3)\n    at host'
  const { log, objects } = createRig()
  log.error('tap failed', { error })
  assert.deepEqual(objects()[0].error, {
    name: 'TypeError',
    message: 'oops',
    place: 'at tap (file:///ci/lamp.ts:7:3)',
  })
})

test('all that failed together is logged, each with its place', () => {
  const slip = new TypeError('oops')
  slip.stack = 'TypeError: oops\n    at start (file:///ci/lamp.ts?gen=4ae6-62ae:7:3)'
  const failed = new CiError({ code: 'LAMP_START', message: 'It did not start.', hint: 'Look.', cause: slip })
  const { log, objects } = createRig()
  log.error('start failed', { error: new Error('both', { cause: new AggregateError([failed, 'a text']) }) })
  const { cause } = objects()[0].error
  assert.deepEqual(cause.errors, [
    {
      code: 'LAMP_START',
      message: 'It did not start.',
      hint: 'Look.',
      cause: { name: 'TypeError', message: 'oops', place: 'at start (file:///ci/lamp.ts:7:3)' },
    },
    'a text',
  ])
})

test('an error of ours names where the code of somebody else called us', () => {
  const { log, objects } = createRig()
  const core = new URL('../../core/hooks.ts', import.meta.url).href
  const error = new CiError({ code: 'BOLT_X', message: 'No.' })
  error.stack = `CiError: No.\n    at unknownHook (${core}:1:2)\n    at apply (file:///ci/lamp.ts?gen=4ae6-62ae:7:3)`
  log.error('it failed', { error })
  error.stack = `CiError: No.\n    at unknownHook (${core}:1:2)`
  log.error('it failed', { error })
  assert.deepEqual(
    objects().map((line) => line.error.place),
    ['at apply (file:///ci/lamp.ts:7:3)', undefined],
  )
})

test("fields cannot take the place of the line's own", () => {
  const { log, objects } = createRig()
  log.info('true', { message: 'false', level: 'debug', at: 0 })
  assert.deepEqual(objects()[0], { at: '2026-01-02T03:04:05.006Z', level: 'info', message: 'true' })
})

test('what JSON cannot hold does not stop the log', () => {
  const { log, objects } = createRig()
  const circle: Record<string, unknown> = { big: 1n, map: new Map([['a', 1]]) }
  circle.self = circle
  log.info('odd', {
    circle,
    bad: {
      toJSON: () => {
        throw new Error('never')
      },
    },
  })
  log.info('odd', { circle, same: [circle.map, circle.map] })
  assert.equal(objects().length, 2)
  assert.deepEqual(objects()[1].circle, { big: '1', map: [['a', 1]], self: '[circular]' })
})

test('secrets are hidden in the finished line', () => {
  const { log, lines } = createRig({ redact: (line) => line.replaceAll('hunter2', '***') })
  log.info('login', { url: 'ftp://x:hunter2@y/' })
  assert.match(lines[0]!, /x:\*\*\*@y/)
})

test('the form for people is one line, whatever strangers typed', () => {
  const { log, lines } = createRig({ format: 'pretty' })
  log.warn('change accepted', { comments: 'a\nb\u001b[2J\rc' })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of the line itself are taken out
  assert.equal(lines[0]!.replace(/\u001b\[\d+m/g, ''), '03:04:05.006 warn  change accepted comments=a⏎ b [2J c')
})
