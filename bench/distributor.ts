// Claim: what the distributor does for one event costs the same with 10 and with 100,000 pending requests: at most 1.5 times.
import { builder, buildFactory, masterLock, slave } from 'boltbot/plugin-sdk'
import { createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { createClock, random } from '../core/clock.ts'
import { createDistributor } from '../core/distributor.ts'
import { createLocks } from '../core/locks.ts'
import { createSlavePool } from '../core/slave-pool.ts'
import { shellCommand } from '../plugins/steps/index.ts'
import { type BenchMaster, startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { loadOptions, PLAIN_AND_LOADED, rowName } from './load.ts'
import { median, report } from './report.ts'

const FEW = 10
const MANY = 100_000
const ROUNDS = 7
const PASSES = 1000
const BUILDS = 200

const lock = masterLock('database')
for (const loaded of PLAIN_AND_LOADED) await measure(loaded)

async function measure(loaded: boolean): Promise<void> {
  await using few = await filled(FEW, loaded)
  await using many = await filled(MANY, loaded)
  const passes = { few: [] as number[], many: [] as number[] }
  const builds = { few: [] as number[], many: [] as number[] }
  for (const bench of [few, many]) {
    await passCost(bench)
    await buildCost(bench)
  }
  for (let round = 0; round < ROUNDS; round++) {
    passes.few.push(await passCost(few))
    passes.many.push(await passCost(many))
    builds.few.push(await buildCost(few))
    builds.many.push(await buildCost(many))
  }
  report({
    name: rowName(`pass over a builder, ${MANY} pending`, loaded),
    ours: median(passes.many),
    against: median(passes.few),
    unit: 'µs',
    limit: `${FEW} pending`,
    aim: { atMost: 1.5 },
  })
  report({
    name: rowName(`request in, build out, ${MANY} pending`, loaded),
    ours: median(builds.many),
    against: median(builds.few),
    unit: 'µs CPU',
    limit: `${FEW} pending`,
    aim: { atMost: 1.5 },
  })
}

async function filled(pending: number, loaded: boolean): Promise<BenchMaster> {
  const { locks = [], ...options } = loadOptions(loaded, 1)
  const bench = await startBenchMaster({
    loaded,
    config: {
      slaves: [slave({ name: 'bot', password: 'x' })],
      builders: [
        builder({
          name: 'full',
          slaves: ['bot'],
          ...options,
          locks: [lock.access('exclusive'), ...locks],
          factory: buildFactory([shellCommand({ command: ['true'] })]),
        }),
      ],
    },
  })
  await bench.enqueue('full', pending)
  return bench
}

/** µs of a pass that finds a request and a free slave, but the lock taken: all that an event costs short of a build. */
async function passCost({ store, config }: BenchMaster): Promise<number> {
  const log = createMemoryLog()
  const clock = createClock(log)
  const locks = createLocks(() => {})
  const pool = createSlavePool({
    store,
    clock,
    log,
    config: () => config,
    password: () => undefined,
    master: 'bench',
    changed() {},
  })
  const link = createInstantSlave('bot')
  await pool.door.attach(link)
  using _taken = await locks.take(
    'other',
    'another build',
    [{ scope: { name: 'database', capacity: 1 }, mode: 'exclusive' }],
    AbortSignal.timeout(60_000),
  )
  let asked = () => {}
  const distributor = createDistributor({
    store,
    clock,
    random,
    log,
    config: () => config,
    pool,
    locks: {
      ...locks,
      tryTake(...claim) {
        asked()
        return locks.tryTake(...claim)
      },
    },
    placement: {
      start: () => Promise.reject(new Error('The lock is taken: nothing may start.')),
    },
    choose: () => Promise.reject(new Error('No hook is used.')),
    isUsed: () => false,
  })
  await distributor.start()
  const from = performance.now()
  for (let i = 0; i < PASSES; i++) {
    const passed = Promise.withResolvers<void>()
    asked = passed.resolve
    distributor.wake('full')
    await passed.promise
  }
  const cost = ((performance.now() - from) / PASSES) * 1000
  await distributor.stop()
  link.close('end of the round')
  return cost
}

/** µs of CPU for one request queued and one built, while the others wait. */
async function buildCost(bench: BenchMaster): Promise<number> {
  const link = createInstantSlave('bot')
  const from = process.cpuUsage()
  const target = bench.finished + BUILDS
  await bench.door.attach(link)
  await bench.enqueue('full', BUILDS)
  await bench.ended(target)
  link.close('end of the round')
  const { user, system } = process.cpuUsage(from)
  return (user + system) / BUILDS
}
