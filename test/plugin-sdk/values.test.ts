import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CiError,
  deepFreeze,
  hasCode,
  isGood,
  isJson,
  isRefusal,
  listNames,
  messageOf,
  RESULTS,
  suggest,
  worst,
} from 'boltbot/plugin-sdk'

test('the worse of two results follows the order, both ways', () => {
  for (const [i, better] of RESULTS.entries()) {
    for (const worse of RESULTS.slice(i)) {
      assert.equal(worst(better, worse), worse)
      assert.equal(worst(worse, better), worse)
    }
  }
  assert.deepEqual(RESULTS.filter(isGood), ['success', 'skipped', 'warnings'])
})

test('a mistyped word gets the nearest known one, and a strange one none', () => {
  const known = ['builder', 'slave', 'scheduler']
  assert.equal(suggest('buidler', known), 'builder')
  assert.equal(suggest('SLAVE', known), 'slave')
  assert.equal(suggest('slavee', known), 'slave')
  assert.equal(suggest('irc', known), undefined)
  assert.equal(suggest('', []), undefined)
})

test('names are listed in quotes, twenty at most', () => {
  assert.equal(listNames([]), 'none')
  assert.equal(listNames(['a', 'b']), '"a", "b"')
  assert.match(listNames(Array.from({ length: 25 }, (_, i) => `n${i}`)), /"n19" and 5 more$/)
})

test('JSON is plain data only', () => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  for (const value of [1, 'x', true, null, [], {}, { a: [{ b: null }] }, Object.create(null)]) assert.ok(isJson(value))
  for (const value of [
    undefined,
    Number.NaN,
    Infinity,
    () => 1,
    new Date(),
    new Map(),
    1n,
    Symbol('x'),
    [undefined],
    circle,
  ])
    assert.equal(isJson(value), false)
})

test('deepFreeze freezes plain data all the way down, also inside frozen objects and circles, and leaves instances', () => {
  const when = new Date(0)
  const value = { list: [{ a: 1 }], frozen: Object.freeze({ inner: { b: 1 } }), when, self: null as unknown }
  value.self = value
  assert.equal(deepFreeze(value), value)
  assert.ok([value, value.list, value.list[0], value.frozen.inner].every((item) => Object.isFrozen(item)))
  assert.equal(Object.isFrozen(when), false)
})

test('a CiError has a code, frozen details, a hint and a cause, and is matched by code', () => {
  const cause = new Error('no route')
  const error = new CiError({
    code: 'LAMP_DOWN',
    message: 'The lamp is down.',
    details: { lamp: 1 },
    hint: 'Plug it in.',
    cause,
  })
  assert.ok(error instanceof Error && Object.isFrozen(error.details))
  assert.deepEqual(
    [error.code, error.details, error.hint, error.cause],
    ['LAMP_DOWN', { lamp: 1 }, 'Plug it in.', cause],
  )
  assert.deepEqual(
    [hasCode(error, 'LAMP_DOWN'), hasCode(error, 'X'), hasCode(cause, 'LAMP_DOWN')],
    [true, false, false],
  )
  assert.equal(Object.hasOwn(new CiError({ code: 'X', message: 'X.' }), 'cause'), false)
})

test('a refusal is told from a master that could not be asked', () => {
  const coded = (code: string) => new CiError({ code, message: 'No.' })
  const [refused, full, stopped] = ['BOLT_CHANGES_MALFORMED', 'BOLT_STORE_FULL', 'BOLT_HOST_STOPPED'].map(coded)
  assert.deepEqual([refused, full, stopped, new Error('x')].map(isRefusal), [true, false, false, false])
})

test('a message is one line, whatever was thrown', () => {
  assert.equal(messageOf(new Error('two\n  lines')), 'two lines')
  assert.equal(messageOf(new TypeError('')), 'TypeError')
  assert.equal(messageOf('text'), 'text')
  assert.equal(messageOf(undefined), 'undefined')
})
