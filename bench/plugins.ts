// Claims: fifty plugins that are told of each build and do nothing cost a build at most a twentieth; a plugin that misbehaves in a worker leaves nine tenths of
// the pace of the same master on the same machine, with all its cores, that has no such plugin and nothing else beside it. And what it costs to tell a tap of an event.
import { setTimeout as sleep } from 'node:timers/promises'
import { builder, buildFactory, definePlugin, type PluginInstance, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { createPluginHostRig, tapping } from '../test/rig/plugin-host-rig.ts'
import { type BenchMaster, startBenchMaster } from './bench-master.ts'
import { inPairs } from './in-pairs.ts'
import { createInstantSlave } from './instant-slave.ts'
import { median, report } from './report.ts'
import type { Misdeed } from './runaway-child.ts'
import { type RunawayProcess, startRunawayProcess } from './runaway-process.ts'

const MISDEEDS: readonly Misdeed[] = ['throw', 'hang', 'spin', 'leak', 'leakBuffers', 'exit', 'flood']

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
await runaways()

/** CPU of the master's thread for a build: the pace alone tells more of the machine than of fifty short calls. */
async function idleCost(plugins: readonly PluginInstance[]): Promise<void> {
  const [pairs, builds] = [60, 40]
  await using without = await benchMaster([])
  await using with_ = await benchMaster(plugins)
  const cost = async (bench: BenchMaster, count = builds) => {
    const from = process.threadCpuUsage()
    const target = bench.finished + count
    await bench.enqueue('full', count)
    await bench.ended(target)
    const { user, system } = process.threadCpuUsage(from)
    await sleep(0)
    return (user + system) / count
  }
  for (const bench of [without, with_, without, with_]) await cost(bench, 300) // they warm up
  const figure = await inPairs({ pairs, ours: () => cost(with_), against: () => cost(without) })
  report({
    name: 'a build beside 50 idle plugins',
    ...figure,
    unit: 'µs CPU',
    limit: 'without',
    aim: { atMost: 1.05 },
  })
}

/** Builds with and without a plugin that misbehaves at each. */
async function runaways(): Promise<void> {
  const [pairs, builds] = [12, 120]
  await using without = await startRunawayProcess()
  await without.round(3 * builds)
  for (const how of MISDEEDS) {
    await using with_ = await startRunawayProcess(how)
    await with_.round(3 * builds) // it warms up, and the plugin begins
    const pace = async (master: RunawayProcess) => (await master.round(builds)).pace
    const figure = await inPairs({ pairs, ours: () => pace(with_), against: () => pace(without) })
    report({
      name: `builds beside "${how}" in a worker`,
      ...figure,
      unit: 'builds/s',
      limit: 'without',
      aim: { atLeast: 0.9 },
    })
  }
}

async function benchMaster(plugins: readonly PluginInstance[]): Promise<BenchMaster> {
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

/** µs from an event to its tap, mailbox and all. */
async function dispatch(): Promise<void> {
  const [rounds, events] = [5, 20_000]
  const costs: number[] = []
  for (let round = 0; round <= rounds; round++) {
    let told = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    const rig = createPluginHostRig({ mailbox: events })
    await rig.host.start([tapping('tap', 'logAppended', () => void (++told === events && resolve()))])
    const event = { at: 1, build: 1, builder: 'full', number: 0, step: 0, log: 'stdio', length: 5 }
    const from = performance.now()
    for (let i = 0; i < events; i++) rig.host.hooks.tell('logAppended', event)
    await promise
    if (round > 0) costs.push(((performance.now() - from) / events) * 1000)
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
