import { setTimeout as sleep } from 'node:timers/promises'
import { builder, buildFactory, type MasterConfig, type SlaveConnection, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { type BenchMaster, startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { median, report } from './report.ts'

/** `BOLTBOT_PAIRS=4`: fewer, on a machine that has other things to do. */
const PAIRS = Number(process.env.BOLTBOT_PAIRS ?? 10)
const SLAVES = ['bot-1', 'bot-2', 'bot-3', 'bot-4']
/** Of Student's distribution, 95 % on two sides, by degrees of freedom. */
const T = [0, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]

type Options = Pick<MasterConfig['options'], 'status' | 'outbox'>

export interface Pairs {
  /** What is dead: `IRC servers`. */
  readonly name: string
  readonly dead: Options
  /** What they are held against: the same with living servers; default: without any. */
  readonly living?: Options
  /** Builds of a round. */
  readonly builds: number
  /** How long each build's command takes; default: no time. */
  readonly commandMs?: number
}

/**
 * Drains rounds of builds by two masters in turn, one of them with dead status targets, and tells the ratio with its interval; and the CPU of
 * the master's thread for a build, which says what the pace of a busy machine does not. Gives the number of measured pairs.
 */
export async function compareWithDead({ name, dead, living = {}, builds, commandMs = 0 }: Pairs): Promise<number> {
  await using without = await start(living)
  await using with_ = await start(dead)
  const round = (bench: BenchMaster) => drain(bench, builds, commandMs)
  await round(without)
  await round(with_)
  const rounds = { with: [] as Round[], without: [] as Round[] }
  for (let pair = 0; pair < PAIRS; pair++) {
    // Which goes first changes: the machine has other things to do as well.
    const order = pair % 2 === 0 ? ([without, with_] as const) : ([with_, without] as const)
    const first = await round(order[0])
    const second = await round(order[1])
    rounds.with.push(pair % 2 === 0 ? second : first)
    rounds.without.push(pair % 2 === 0 ? first : second)
  }
  const figure = (what: keyof Round) => {
    const [ours, against] = [rounds.with.map((one) => one[what]), rounds.without.map((one) => one[what])]
    const ratios = ours.map((value, i) => value / against[i]!)
    return { ratios, ours: median(ours), against: median(against), ratio: median(ratios) }
  }
  const { ratios, ...rate } = figure('rate')
  const { ratios: _, ...cpu } = figure('cpu')
  const beside = 'the same without, or with living ones'
  report({ name: `dead ${name}, 4 builds at once`, ...rate, unit: 'builds/s', limit: beside })
  report({ name: `dead ${name}, CPU for a build`, ...cpu, unit: 'µs', limit: beside })
  const { low, high } = interval(ratios)
  const limit = `95 % of ${PAIRS} pairs`
  report({ name: `dead ${name}, low end of the ratio`, ours: low, against: 1, unit: '', limit })
  report({ name: `dead ${name}, high end of the ratio`, ours: high, against: 1, unit: '', limit, aim: { atLeast: 1 } })
  return PAIRS
}

/** Of one master. */
interface Round {
  /** Builds per second. */
  readonly rate: number
  /** Of this thread for a build, µs. */
  readonly cpu: number
}

/** Where the mean of the pairs lies with 95 %, on logarithms. */
function interval(values: readonly number[]): { readonly low: number; readonly high: number } {
  const logs = values.map(Math.log)
  const mean = logs.reduce((a, b) => a + b) / logs.length
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1)
  const half = (T[logs.length - 1] ?? 1.96) * Math.sqrt(variance / logs.length)
  return { low: Math.exp(mean - half), high: Math.exp(mean + half) }
}

function start(options: Options): Promise<BenchMaster> {
  return startBenchMaster({
    config: {
      slaves: SLAVES.map((name) => slave({ name, password: 'x', maxBuilds: 1 })),
      builders: [
        builder({
          name: 'full',
          slaves: SLAVES,
          mergeRequests: false,
          factory: buildFactory([shellCommand({ command: ['true'] })]),
        }),
      ],
      ...options,
    },
  })
}

/** The queue is filled first, then the slaves come. */
async function drain(bench: BenchMaster, builds: number, commandMs: number): Promise<Round> {
  const target = bench.finished + builds
  await bench.enqueue('full', builds)
  const links = SLAVES.map((name) => slowed(createInstantSlave(name), commandMs))
  const from = performance.now()
  const used = process.threadCpuUsage()
  await Promise.all(links.map((link) => bench.door.attach(link)))
  await bench.ended(target)
  const rate = (builds / (performance.now() - from)) * 1000
  const { user, system } = process.threadCpuUsage(used)
  for (const link of links) link.close('end of the round')
  return { rate, cpu: (user + system) / builds }
}

function slowed(link: SlaveConnection, ms: number): SlaveConnection {
  if (ms === 0) return link
  return {
    ...link,
    async run(...args) {
      await sleep(ms)
      return link.run(...args)
    },
  }
}
