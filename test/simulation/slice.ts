import assert from 'node:assert/strict'
import { simulate } from './simulate.ts'

const SECONDS = 21

/**
 * Simulates one seed after the other from a first one on, until the time is up: how many fit depends on the machine, which ones come
 * first does not. `npm run simulate -- --seeds N` runs as many as one likes.
 */
export async function runSlice(from: number): Promise<void> {
  const until = performance.now() + SECONDS * 1000
  let seed = from
  for (; performance.now() < until; seed++) {
    const { breach, trace } = await simulate(seed)
    const again = `npm run simulate -- --seed ${seed} --trace`
    const story = `seed ${seed}: ${breach?.invariant}: ${breach?.message}\n${trace.slice(-40).join('\n')}\n${again}`
    assert.equal(breach, undefined, story)
  }
  assert.ok(seed - from >= 10, `only ${seed - from} seeds ran in ${SECONDS} s`)
}
