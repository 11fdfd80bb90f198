// Claims: fifty plugins that are told of each build and do nothing cost a build at most a twentieth; a plugin that misbehaves in a worker leaves nine tenths of
// the pace. And what it costs to tell a tap of an event.
import { setTimeout as sleep } from 'node:timers/promises'
import { builder, buildFactory, definePlugin, type PluginInstance, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { createPluginHostRig, tapping } from '../test/rig/plugin-host-rig.ts'
import { misbehaving, type WorkerOptions } from '../test/rig/worker-plugins.ts'
import { startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { median, report } from './report.ts'

const ROUNDS = 5
const BUILDS = 300
const EVENTS = 20_000

const idle = definePlugin({
  name: 'idle',
  kind: 'status',
  apply(host) {
    host.tap('buildFinished', ({ builder }) => {
      if (builder === 'another') host.log.info('one of ours')
    })
  },
})

await dispatch()
await idleCost(Array.from({ length: 50 }, (_, i) => idle({ id: `idle-${i}` })))
for (const how of ['throw', 'hang', 'spin', 'leak', 'leakBuffers', 'exit', 'flood'] satisfies Misdeed[])
  await beside(`"${how}" in a worker`, [misbehaving({ on: { full: how }, isolation: { memoryMb: 64 } })], 0.9)

type Misdeed = NonNullable<WorkerOptions['on']>[string]

/** CPU of the master's thread for a build: the pace alone tells more of the machine than of fifty short calls. */
async function idleCost(plugins: readonly PluginInstance[]): Promise<void> {
  await using without = await benchMaster([])
  await using with_ = await benchMaster(plugins)
  const cost = async (bench: Bench) => {
    const from = process.threadCpuUsage()
    await buildsPerSecond(bench)
    const { user, system } = process.threadCpuUsage(from)
    return (user + system) / BUILDS
  }
  const ours: number[] = []
  const against: number[] = []
  for (let round = 0; round <= 2 * ROUNDS; round++) {
    const costs = [await cost(without), await cost(with_)] as const
    if (round < 2) continue // they warm up
    against.push(costs[0])
    ours.push(costs[1])
  }
  report({
    name: 'a build beside 50 idle plugins',
    ours: median(ours),
    against: median(against),
    unit: 'µs CPU',
    limit: 'without',
    aim: { atMost: 1.05 },
  })
}

/** Builds with and without these plugins, in turns: a machine that gets slower does so for both. */
async function beside(name: string, plugins: readonly PluginInstance[], atLeast: number): Promise<void> {
  await using without = await benchMaster([])
  await using with_ = await benchMaster(plugins)
  const ours: number[] = []
  const against: number[] = []
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    const pace = [await buildsPerSecond(without), await buildsPerSecond(with_)] as const
    if (round === 0) continue
    against.push(pace[0])
    ours.push(pace[1])
  }
  report({
    name: `builds beside ${name}`,
    ours: median(ours),
    against: median(against),
    unit: 'builds/s',
    limit: 'without',
    aim: { atLeast },
  })
}

type Bench = Awaited<ReturnType<typeof benchMaster>>

async function benchMaster(plugins: readonly PluginInstance[]) {
  const bench = await startBenchMaster({
    config: {
      slaves: [slave({ name: 'bot', password: 'x' })],
      builders: [
        builder({
          name: 'full',
          slaves: ['bot'],
          mergeRequests: false,
          factory: buildFactory([shellCommand({ command: ['true'] })]),
        }),
      ],
      plugins,
    },
  })
  await bench.door.attach(createInstantSlave('bot'))
  return bench
}

async function buildsPerSecond(bench: Bench): Promise<number> {
  const before = bench.finished
  const from = performance.now()
  await bench.enqueue('full', BUILDS)
  await bench.ended(before + BUILDS)
  const pace = (BUILDS / (performance.now() - from)) * 1000
  await sleep(0)
  return pace
}

/** µs from an event to its tap, mailbox and all. */
async function dispatch(): Promise<void> {
  const costs: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    let told = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    const rig = createPluginHostRig({ mailbox: EVENTS })
    await rig.host.start([tapping('tap', 'logAppended', () => void (++told === EVENTS && resolve()))])
    const event = { at: 1, build: 1, builder: 'full', number: 0, step: 0, log: 'stdio', length: 5 }
    const from = performance.now()
    for (let i = 0; i < EVENTS; i++) rig.host.hooks.tell('logAppended', event)
    await promise
    if (round > 0) costs.push(((performance.now() - from) / EVENTS) * 1000)
    await rig.host.stop()
  }
  report({
    name: 'an event told to a tap',
    ours: median(costs),
    against: 100,
    unit: 'µs',
    limit: 'a tenth of a millisecond',
    aim: { atMost: 1 },
  })
}
