// Claim: locks that are waited for, priorities and merging together cost a build at most a quarter more of the master's CPU.
import { builder, buildFactory, type MasterConfig, masterLock, slave, slaveLock } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { fillQueue } from './backlog.ts'
import { type BenchMaster, startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { median, report } from './report.ts'

const BUILDERS = 20
const SLAVES = 4
/** Of each builder in a round. */
const BUILDS = 20
const ROUNDS = 7

const names = Array.from({ length: BUILDERS }, (_, i) => `builder-${i}`)
const slaves = Array.from({ length: SLAVES }, (_, i) => `bot-${i}`)
// Fewer than the slaves: some builder always waits for it.
const license = masterLock('license', { maxCount: SLAVES - 1 })
const cpu = slaveLock('cpu', { maxCount: 2 })
const make = shellCommand({ command: ['true'] })
const configOf = (
  more: Partial<Parameters<typeof builder>[0]>,
): Pick<MasterConfig['options'], 'slaves' | 'builders'> => ({
  slaves: slaves.map((name) => slave({ name, password: 'x', maxBuilds: 2 })),
  builders: names.map((name) => builder({ ...more, name, slaves, factory: buildFactory([make]) })),
})

await using plain = await startBenchMaster({ config: configOf({ mergeRequests: false }) })
await using loaded = await startBenchMaster({
  config: configOf({ mergeRequests: true, locks: [license.access('counting'), cpu.access('counting')] }),
})
for (const bench of [plain, loaded]) for (const name of slaves) await bench.door.attach(createInstantSlave(name))
const costs = { plain: [] as number[], loaded: [] as number[] }
for (let round = 0; round <= ROUNDS; round++) {
  const [without, with_] = [await cost(plain, round), await cost(loaded, round)]
  // The first round warms up.
  if (round === 0) continue
  costs.plain.push(without)
  costs.loaded.push(with_)
}
report({
  name: 'build with locks, priorities and merging on',
  ours: median(costs.loaded),
  against: median(costs.plain),
  unit: 'µs CPU',
  limit: 'without',
  aim: { atMost: 1.25 },
})

/** µs of CPU for a request and its build. */
async function cost(bench: BenchMaster, round: number): Promise<number> {
  const from = process.cpuUsage()
  const target = bench.finished + BUILDS * BUILDERS
  // Each with a key of its own: all are looked for, and each is built.
  await fillQueue(bench.store, names, BUILDS, (i) => ({ priority: i % 5, mergeKey: `${round} ${i}` }))
  await bench.ended(target)
  const { user, system } = process.cpuUsage(from)
  return (user + system) / (BUILDS * BUILDERS)
}
