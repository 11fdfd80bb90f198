// Claim: with 100,000 requests waiting over 1,000 builders, 500 slaves are given builds at 2,000 a second or more.
import { builder, buildFactory, type SlaveConnection, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { fillQueue } from './backlog.ts'
import { startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { report } from './report.ts'

const BUILDERS = 1000
const SLAVES = 500
const PENDING = 100_000
/** On each slave, so that there is something to assign for a while. */
const AT_ONCE = 20
const AIM = 2000

const names = Array.from({ length: BUILDERS }, (_, i) => `builder-${i}`)
const slaves = Array.from({ length: SLAVES }, (_, i) => `bot-${i}`)
/** Each slave serves forty builders. */
const slavesOf = (builder: number) => Array.from({ length: 20 }, (_, i) => slaves[(builder + i * 25) % SLAVES]!)

await using bench = await startBenchMaster({
  config: {
    slaves: slaves.map((name) => slave({ name, password: 'x', maxBuilds: AT_ONCE })),
    builders: names.map((name, i) =>
      builder({
        name,
        slaves: slavesOf(i),
        mergeRequests: false,
        factory: buildFactory([shellCommand({ command: ['true'] })]),
      }),
    ),
  },
})
await fillQueue(bench.store, names, PENDING / BUILDERS)
const starts: number[] = []
const full = Promise.withResolvers<void>()
bench.onBuild(({ what }) => {
  if (what !== 'started') return
  starts.push(performance.now())
  if (starts.length === SLAVES * AT_ONCE) full.resolve()
})
const cpu = process.cpuUsage()
await Promise.all(slaves.map((name) => bench.door.attach(createBusySlave(name))))
await full.promise
const { user, system } = process.cpuUsage(cpu)
const seconds = (starts.at(-1)! - starts[0]!) / 1000
report({
  name: `assignments, ${PENDING} pending`,
  ours: starts.length / seconds,
  against: AIM,
  unit: 'builds/s',
  limit: 'the aim',
  aim: { atLeast: 1 },
})
report({
  name: 'assignment, CPU of the master',
  ours: (user + system) / starts.length,
  against: 1e6 / AIM,
  unit: 'µs',
  limit: 'the aim',
  aim: { atMost: 1 },
})
process.exit(0)

/** One whose commands go on for ever: what is measured is the giving. */
function createBusySlave(name: string): SlaveConnection {
  return { ...createInstantSlave(name), run: () => new Promise(() => {}) }
}
