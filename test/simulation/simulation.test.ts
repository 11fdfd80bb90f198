import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from './simulate.ts'

// Each part counts from its own seed on and stops when its time is up: how many fit depends on the machine, which ones come first
// does not. `npm run simulate -- --seeds N` runs as many as one likes.
const SECONDS = 11
const SLICES = [1, 10_001]

for (const from of SLICES) {
  test(`the core keeps its promises in simulations from seed ${from} on`, async () => {
    const until = performance.now() + SECONDS * 1000
    let seed = from
    for (; performance.now() < until; seed++) {
      const { breach, trace } = await simulate(seed)
      const again = `npm run simulate -- --seed ${seed} --trace`
      assert.equal(breach, undefined, `seed ${seed}: ${breach?.message}\n${trace.slice(-40).join('\n')}\n${again}`)
    }
    assert.ok(seed - from >= 10, `only ${seed - from} seeds ran in ${SECONDS} s`)
  })
}

test('a seed gives the same run each time', async () => {
  const [first, second] = [await simulate(7), await simulate(7)]
  assert.deepEqual(first.trace, second.trace)
})
