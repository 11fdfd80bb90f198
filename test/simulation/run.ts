// Runs simulations: `npm run simulate -- --seeds N [--from N] [--acts N] [--mutate NAME]`, or one with all that happened in it:
// `npm run simulate -- --seed N --trace`. The first broken promise ends it with exit code 1, the seed and the trace.
import { parseArgs } from 'node:util'
import { MUTATIONS, mutate } from './mutations.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    acts: { type: 'string', default: '150' },
    mutate: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})
const { mutate: mutation } = values
if (mutation !== undefined && !Object.hasOwn(MUTATIONS, mutation)) {
  say(`There is no mutation "${mutation}". Known: ${Object.keys(MUTATIONS).join(', ')}.`)
  process.exit(2)
}
const mutated = mutate(mutation === undefined ? undefined : (mutation as keyof typeof MUTATIONS)) // known, see above
// After the mutation: it changes the core as it is loaded.
const { simulate } = await import('./simulate.ts')

let rejected: unknown
process.on('unhandledRejection', (reason) => {
  rejected ??= reason
})

const from = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.seeds) : 1
const again = `npm run simulate -- --seed %${mutation === undefined ? '' : ` --mutate ${mutation}`} --trace`
const began = performance.now()
let builds = 0
for (let seed = from; seed < from + count; seed++) {
  const outcome = await simulate(seed, { acts: Number(values.acts), ...(values.trace && { told: say }) })
  builds += outcome.builds
  const breach =
    rejected === undefined
      ? outcome.breach
      : { invariant: 'no part fails by itself', message: `unhandled rejection: ${(rejected as Error).stack}` }
  if (breach === undefined) continue
  if (!values.trace) say(`… the last of ${outcome.trace.length} lines:\n${outcome.trace.slice(-60).join('\n')}`)
  say(`\nseed ${seed}: broken: ${breach.invariant}\n  ${breach.message}\nAll of it: ${again.replace('%', `${seed}`)}`)
  process.exit(1)
}
mutated.check()
const seconds = (performance.now() - began) / 1000
say(`${count} seeds, ${builds} builds, no promise broken, ${(count / seconds).toFixed(1)} seeds/s`)

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
