// Claim: with one trivial step per build, builds are done at half the pace, or better, of a bare loop that spawns the same program
// as many at a time.
import { spawn } from 'node:child_process'
import { startAgent } from './agent-process.ts'
import { PLAIN_AND_LOADED, rowName } from './load.ts'
import { startMasterProcess } from './master-process.ts'
import { median, report } from './report.ts'

const ROUNDS = 5
const BUILDS = 600
const BARE = 600

for (const loaded of PLAIN_AND_LOADED) for (const count of [1, 4]) await measure(count, loaded)

async function measure(count: number, loaded: boolean): Promise<void> {
  const slaves = Array.from({ length: count }, (_, i) => `bot-${i + 1}`)
  await using master = await startMasterProcess({ slaves, command: ['true'], loaded })
  const ours: number[] = []
  const bare: number[] = []
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    const drained = await drain(master, slaves)
    const spawned = await spawnLoop(count)
    if (round === 0) continue
    ours.push(drained)
    bare.push(spawned)
  }
  report({
    name: rowName(`drain, ${count} ${count === 1 ? 'slave' : 'slaves'}`, loaded),
    ours: median(ours),
    against: median(bare),
    unit: 'builds/s',
    limit: `spawn loop, ${count} at a time`,
    aim: { atLeast: 0.5 },
  })
}

/** Builds per second. The queue is filled before the slaves come; while they come nothing is counted. */
async function drain(
  master: Awaited<ReturnType<typeof startMasterProcess>>,
  slaves: readonly string[],
): Promise<number> {
  await master.call('enqueue', BUILDS)
  await using stack = new AsyncDisposableStack()
  for (const name of slaves) stack.use(await startAgent(name, 'secret', master.port))
  const ends = await master.call('drained')
  const counted = ends.slice(Math.floor(ends.length / 5))
  return ((counted.length - 1) / (counted.at(-1)! - counted[0]!)) * 1000
}

/** Processes per second. */
async function spawnLoop(parallel: number): Promise<number> {
  let left = BARE
  const work = async () => {
    while (left-- > 0)
      await new Promise((resolve) => spawn('true', { stdio: ['ignore', 'pipe', 'pipe'] }).on('close', resolve))
  }
  const from = performance.now()
  await Promise.all(Array.from({ length: parallel }, work))
  return (BARE / (performance.now() - from)) * 1000
}
