import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from './simulate.ts'
import { runSlice } from './slice.ts'

test('the core keeps its promises in simulations from seed 10,001 on', () => runSlice(10_001, 200))

test('a seed gives the same run each time', async () => {
  const [first, second] = [await simulate(7), await simulate(7)]
  assert.deepEqual(first.trace, second.trace)
})
