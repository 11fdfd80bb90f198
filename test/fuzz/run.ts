// Feeds codecs with broken bytes: `npm run fuzz -- [--inputs N] [--seed N] [--target NAME]`. A failure prints what repeats it.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { agent } from './agent.ts'
import { msgpack } from './msgpack.ts'
import { createChance } from './mutate.ts'
import { banana, broker, friends, values } from './pb.ts'
import type { Target } from './target.ts'

const { values: given } = parseArgs({
  options: { inputs: { type: 'string' }, seed: { type: 'string' }, target: { type: 'string' } },
})
const inputs = Number(given.inputs ?? 1_000_000)
const seed = Number(given.seed ?? Math.floor(Math.random() * 2 ** 31))
let failed = false
for (const target of [banana, values, broker, friends, msgpack, agent].filter(
  ({ name }) => (given.target ?? name) === name,
))
  await fuzz(target)
process.exit(failed ? 1 : 0)

/** Each input has a seed of its own, so that it can be told alone. */
async function fuzz({ name, run }: Target): Promise<void> {
  const began = performance.now()
  for (let number = 0; number < inputs; number++) {
    if (number % 1000 === 0) await nextTurn() // what inputs left waiting ends
    try {
      run(createChance(seed + number))
    } catch (error) {
      failed = true
      process.stdout.write(
        `${name} failed: npm run fuzz -- --target ${name} --inputs 1 --seed ${seed + number}\n${error}\n`,
      )
      return
    }
  }
  const seconds = (performance.now() - began) / 1000
  const heap = Math.round(process.memoryUsage().rss / 2 ** 20)
  process.stdout.write(`${name}: ${inputs} inputs in ${seconds.toFixed(1)} s, seed ${seed}, ${heap} MB\n`)
}
