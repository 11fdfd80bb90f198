// Claim: a stock worker that is attached over Perspective Broker takes at most 40 KB of the master, and a thousand with one
// builder each are all in within 2.5 s.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { stockWorkers } from '../plugins/slaves/pb/index.ts'
import { shellCommand } from '../plugins/steps/index.ts'
import { startBenchMaster } from './bench-master.ts'
import { report } from './report.ts'

const WORKERS = 1000
let port = 0
const slaves = Array.from({ length: WORKERS }, (_, number) => slave({ name: `bot-${number}`, password: 'x' }))
const factory = buildFactory([shellCommand({ command: ['true'] })])
await using bench = await startBenchMaster({
  config: {
    transports: [stockWorkers({ port: 0, onListening: (bound) => void (port = bound) })],
    slaves,
    builders: slaves.map((one) => builder({ name: `on-${one.name}`, slaves: [one], factory })),
  },
})
const before = await collected()
const began = performance.now()
const child = spawn(process.execPath, [join(import.meta.dirname, 'pb-workers-child.ts'), `${port}`, `${WORKERS}`], {
  stdio: ['pipe', 'ignore', 'inherit'],
})
while ((await attached()) < WORKERS) await sleep(100) // looking is not free
const seconds = (performance.now() - began) / 1000
const after = await collected()
child.kill()
await once(child, 'exit')
report({
  name: 'PB worker attached, memory of the master',
  ours: (after - before) / WORKERS / 1000,
  against: 40,
  unit: 'KB',
  limit: 'the aim; stock Buildbot 46',
  aim: { atMost: 1 },
})
report({
  name: 'PB workers, 1,000 attached',
  ours: seconds,
  against: 2.5,
  unit: 's',
  limit: 'the aim, with the start of their process',
  aim: { atMost: 1 },
})

async function attached(): Promise<number> {
  return (await bench.master.query.slaves()).filter((one) => one.state === 'idle').length
}

async function collected(): Promise<number> {
  await sleep(300)
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await sleep(20)
  }
  return process.memoryUsage().rss
}
