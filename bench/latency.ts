// Claim: with a free slave, a change has become a running build within 8 ms and a finished one within 15 ms, half of the time; a
// start takes 25 ms at most, 99 times of 100.
import { startAgent } from './agent-process.ts'
import { PLAIN_AND_LOADED, rowName } from './load.ts'
import { startMasterProcess } from './master-process.ts'
import { quantile, report } from './report.ts'

const CHANGES = 1000
/** ms of stock Buildbot for the same, and what we want. */
const LIMITS = [
  { what: 'started', part: 0.5, stock: 162, aim: 8 },
  { what: 'started', part: 0.99, stock: 241, aim: 25 },
  { what: 'finished', part: 0.5, stock: 336, aim: 15 },
  { what: 'finished', part: 0.99, stock: 436, aim: undefined },
] as const

for (const loaded of PLAIN_AND_LOADED) await measure(loaded)

async function measure(loaded: boolean): Promise<void> {
  await using master = await startMasterProcess({ slaves: ['bot'], command: ['true'], loaded })
  await using _agent = await startAgent('bot', 'secret', master.port)
  await master.call('attached')
  await master.call('changes', 200)
  const times = await master.call('changes', CHANGES)
  for (const { what, part, stock, aim } of LIMITS) {
    report({
      name: rowName(`change to build ${what}, p${part * 100}`, loaded),
      ours: quantile(times[what], part),
      against: aim ?? stock,
      unit: 'ms',
      limit: aim === undefined ? 'stock Buildbot, p95' : `the aim; stock Buildbot ${stock} ms`,
      ...(aim !== undefined && { aim: { atMost: 1 } }),
    })
  }
}
