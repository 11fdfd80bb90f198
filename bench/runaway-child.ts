// A master in a process of its own, for plugins.ts: does builds by order of its parent, beside a plugin that misbehaves on each. `HOW`, or nothing.
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { misbehaving, type WorkerOptions } from '../test/rig/worker-plugins.ts'
import { startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'

export type Misdeed = NonNullable<WorkerOptions['on']>[string]

export interface Round {
  /** Builds a second. */
  readonly pace: number
  /** µs of the master's thread for a build. */
  readonly cpu: number
}

const RESUMED_MS = 5000

const how = process.argv[2] as Misdeed | undefined
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
    plugins: how ? [misbehaving({ id: 'runaway', on: { full: how }, isolation: { memoryMb: 64 } })] : [],
  },
})
await bench.door.attach(createInstantSlave('bot'))

let resumedAt = 0
process.on('message', async (builds: number) => {
  const { plugins } = bench.master
  // One that was suspended costs nothing: as if somebody resumed it every few seconds.
  const isSuspended = plugins.status().some(({ id, suspended }) => id === 'runaway' && suspended)
  if (isSuspended && performance.now() - resumedAt > RESUMED_MS) {
    plugins.resume('runaway')
    resumedAt = performance.now()
  }
  const target = bench.finished + builds
  const cpu = process.threadCpuUsage()
  const from = performance.now()
  await bench.enqueue('full', builds)
  await bench.ended(target)
  const ms = performance.now() - from
  const { user, system } = process.threadCpuUsage(cpu)
  process.send!({ pace: (builds / ms) * 1000, cpu: (user + system) / builds } satisfies Round)
})
