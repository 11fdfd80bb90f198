import assert from 'node:assert/strict'
import { simulate } from './simulate.ts'

/** `npm run simulate -- --seeds N` runs as many as one likes. */
export async function runSlice(from: number, count: number): Promise<void> {
  for (let seed = from; seed < from + count; seed++) {
    const { breach, trace } = await simulate(seed)
    const again = `npm run simulate -- --seed ${seed} --trace`
    const story = `seed ${seed}: ${breach?.invariant}: ${breach?.message}\n${trace.slice(-40).join('\n')}\n${again}`
    assert.equal(breach, undefined, story)
  }
}
