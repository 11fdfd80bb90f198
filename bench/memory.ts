// Claim: a master at rest takes no more memory than stock Buildbot's (94 MB), and what it keeps of each build is at most half a
// kilobyte, over builds 2,000 to 10,000.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { loadOptions, rowName } from './load.ts'
import { report } from './report.ts'

const FROM = 2000
const TO = 10_000
const STEP = 500

const LOADED = 'loaded'
const loaded = process.argv.includes(LOADED)
await measure()
// In a process of its own: what one master leaves would be counted for the other.
if (!loaded) process.exitCode = (await once(fork(import.meta.filename, [LOADED]), 'exit'))[0]

async function measure(): Promise<void> {
  await using bench = await startBenchMaster({
    loaded,
    config: {
      slaves: [slave({ name: 'bot', password: 'x' })],
      builders: [
        builder({
          name: 'full',
          slaves: ['bot'],
          ...loadOptions(loaded, 1),
          factory: buildFactory([shellCommand({ command: ['true'] })]),
        }),
      ],
    },
  })
  await bench.door.attach(createInstantSlave('bot'))
  const atRest = await collected()
  report({
    name: rowName('memory at rest', loaded),
    ours: atRest.rss / 1e6,
    against: 94,
    unit: 'MB',
    limit: 'stock Buildbot',
    aim: { atMost: 1 },
  })

  const samples: Sample[] = []
  for (let builds = FROM; builds <= TO; builds += STEP) {
    await bench.enqueue('full', builds - bench.finished)
    await bench.ended(builds)
    samples.push({ builds, ...(await collected()) })
  }
  for (const what of ['rss', 'heapUsed'] as const) {
    report({
      name: rowName(`memory per build, ${what === 'rss' ? 'process' : 'heap'}`, loaded),
      ours: slope(samples, what) / 1000,
      against: 0.5,
      unit: 'KB',
      limit: 'the aim',
      aim: { atMost: 1 },
    })
  }
}

interface Sample {
  readonly builds: number
  readonly rss: number
  readonly heapUsed: number
}

/** After what is under way has ended and was collected. */
async function collected(): Promise<Omit<Sample, 'builds'>> {
  await sleep(200)
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await sleep(20)
  }
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heapUsed }
}

/** Bytes per build, by least squares. */
function slope(points: readonly Sample[], what: 'rss' | 'heapUsed'): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const x = mean(points.map((point) => point.builds))
  const y = mean(points.map((point) => point[what]))
  const top = points.reduce((sum, point) => sum + (point.builds - x) * (point[what] - y), 0)
  return top / points.reduce((sum, point) => sum + (point.builds - x) ** 2, 0)
}
