// Claim: with 1,000 builders, 500 slaves and 100,000 requests that wait, a master starts within 3 s; a changed builder is in force within
// a second; an idle slave takes at most 30 KB, a request that waits at most 1 KB.
import { setTimeout as sleep } from 'node:timers/promises'
import { builder, buildFactory, type MasterConfig, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { fillQueue } from './backlog.ts'
import { startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { median, report } from './report.ts'

const BUILDERS = 1000
const SLAVES = 500
const PENDING = 100_000
const ROUNDS = 5

const names = Array.from({ length: BUILDERS }, (_, i) => `builder-${i}`)
const slaves = Array.from({ length: SLAVES }, (_, i) => `bot-${i}`)
/** One of them, `changed`, has another command. No slave is there for any of them: they all wait. */
const configOf = (changed: string): Pick<MasterConfig['options'], 'slaves' | 'builders'> => ({
  slaves: [...slaves, 'nobody'].map((name) => slave({ name, password: 'x' })),
  builders: names.map((name) => {
    const step = shellCommand({ command: [name === changed ? changed : 'true'] })
    return builder({ name, slaves: ['nobody'], factory: buildFactory([step]) })
  }),
})

const bench = await startBenchMaster({ config: configOf('') })
const empty = await collected()
for (const name of slaves) await bench.door.attach(createInstantSlave(name))
const attached = await collected()
report({
  name: 'memory of an idle slave, heap',
  ours: (attached.heapUsed - empty.heapUsed) / SLAVES / 1000,
  against: 30,
  unit: 'KB',
  limit: 'the aim',
  aim: { atMost: 1 },
})

const before = await collected()
await fillQueue(bench.store, names, PENDING / BUILDERS)
const filled = await collected()
for (const what of ['heapUsed', 'rss'] as const)
  report({
    name: `memory of a waiting request, ${what === 'rss' ? 'process' : 'heap'}`,
    ours: (filled[what] - before[what]) / PENDING / 1000,
    against: 1,
    unit: 'KB',
    limit: 'the aim',
    aim: { atMost: 1 },
  })

const reconfigures: number[] = []
for (let round = 0; round <= ROUNDS; round++) {
  const next = bench.checked(configOf(names[round]!))
  const from = performance.now()
  const lines = await bench.master.reconfigure(next, { who: 'bench', via: 'bench' })
  if (round > 0) reconfigures.push((performance.now() - from) / 1000)
  if (!lines.some((line) => line.includes(names[round]!))) throw new Error('The reconfigure changed nothing.')
}
report({
  name: `reconfigure, 1 of ${BUILDERS} builders changed`,
  ours: median(reconfigures),
  against: 1,
  unit: 's',
  limit: 'the aim',
  aim: { atMost: 1 },
})

const starts: number[] = []
for (let round = 0; round <= ROUNDS; round++) {
  await bench.master.stop()
  const from = performance.now()
  await bench.again()
  if (round > 0) starts.push((performance.now() - from) / 1000)
}
report({
  name: `start, ${PENDING} pending`,
  ours: median(starts),
  against: 3,
  unit: 's',
  limit: 'the aim',
  aim: { atMost: 1 },
})
await bench[Symbol.asyncDispose]()

/** After what is under way has ended and was collected. */
async function collected(): Promise<NodeJS.MemoryUsage> {
  await sleep(200)
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await sleep(20)
  }
  return process.memoryUsage()
}
