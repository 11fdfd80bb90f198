// Claim: with 5 ms more in each fsync and four builds at once, at least half as many builds are done as without.
import { fdatasync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { type BenchMaster, startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { loadOptions, PLAIN_AND_LOADED, rowName } from './load.ts'
import { median, report } from './report.ts'

const ROUNDS = 5
const BUILDS = 600
const SLAVES = ['bot-1', 'bot-2', 'bot-3', 'bot-4']

const sync = promisify(fdatasync)
for (const loaded of PLAIN_AND_LOADED) await measure(loaded)

async function measure(loaded: boolean): Promise<void> {
  await using fast = await start(loaded, sync)
  await using slow = await start(loaded, async (fd) => {
    await sync(fd)
    await sleep(5)
  })
  const rates = { fast: [] as number[], slow: [] as number[] }
  await drain(fast)
  await drain(slow)
  for (let round = 0; round < ROUNDS; round++) {
    rates.fast.push(await drain(fast))
    rates.slow.push(await drain(slow))
  }
  report({
    name: rowName('slow disk, 4 builds at once', loaded),
    ours: median(rates.slow),
    against: median(rates.fast),
    unit: 'builds/s',
    limit: 'the same without the 5 ms',
    aim: { atLeast: 0.5 },
  })
}

async function start(loaded: boolean, sync: (fd: number) => Promise<void>): Promise<BenchMaster> {
  return startBenchMaster({
    loaded,
    sync,
    config: {
      slaves: SLAVES.map((name) => slave({ name, password: 'x', maxBuilds: 1 })),
      builders: [
        builder({
          name: 'full',
          slaves: SLAVES,
          ...loadOptions(loaded, SLAVES.length),
          factory: buildFactory([shellCommand({ command: ['true'] })]),
        }),
      ],
    },
  })
}

/** Builds per second: the queue is filled first, then the slaves come. */
async function drain(bench: BenchMaster): Promise<number> {
  const target = bench.finished + BUILDS
  await bench.enqueue('full', BUILDS)
  const links = SLAVES.map(createInstantSlave)
  const from = performance.now()
  await Promise.all(links.map((link) => bench.door.attach(link)))
  await bench.ended(target)
  const rate = (BUILDS / (performance.now() - from)) * 1000
  for (const link of links) link.close('end of the round')
  return rate
}
