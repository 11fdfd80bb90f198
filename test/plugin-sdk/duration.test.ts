import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationMs, formatDuration } from 'boltbot/plugin-sdk'

test('a number is seconds, a text has units', () => {
  const cases: [number | string, number][] = [
    [0, 0],
    [1.5, 1500],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1.5h', 5_400_000],
    [' 10s ', 10_000],
  ]
  for (const [given, ms] of cases) assert.equal(durationMs(given), ms, String(given))
})

test('what is no duration gives undefined', () => {
  for (const given of ['', '5', 'm', '5 m', '-5s', '5x', '1h-2m', 'soon', -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(durationMs(given), undefined, String(given))
  }
})

test('a span is printed by its two largest units', () => {
  const cases: [number, string][] = [
    [0, '0ms'],
    [250, '250ms'],
    [1500, '1.5s'],
    [2000, '2s'],
    [43_400, '43s'],
    [60_000, '1m'],
    [5_432_000, '1h30m'],
    [90_061_000, '1d1h'],
  ]
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text)
})
