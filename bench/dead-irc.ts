// Claim: an IRC server that is down, with all news on, costs builds nothing: over ten interleaved pairs the interval of the ratio of
// builds with and without includes 1.
import { createServer } from 'node:net'
import { builder, buildFactory, CHAT_NEWS, slave } from 'boltbot/plugin-sdk'
import { irc } from '../plugins/status/irc/index.ts'
import { shellCommand } from '../plugins/steps/index.ts'
import { type BenchMaster, startBenchMaster } from './bench-master.ts'
import { createInstantSlave } from './instant-slave.ts'
import { median, report } from './report.ts'

const PAIRS = 10
const BUILDS = 400
const SLAVES = ['bot-1', 'bot-2', 'bot-3', 'bot-4']

// Two ways to be dead: nobody listens; somebody does and says nothing.
const mute = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1')
await new Promise((resolve) => mute.on('listening', resolve))
const { port } = mute.address() as { port: number } // a TCP server has no other address
const dead = { host: '127.0.0.1', tls: false, nick: 'hellobot', channels: ['#hello'], notify: [...CHAT_NEWS] }
const bots = [
  irc({
    networks: [
      { ...dead, name: 'refused', port: 9 },
      { ...dead, name: 'mute', port },
    ],
  }),
]

await using without = await start([])
await using with_ = await start(bots)
await drain(without)
await drain(with_)
const ratios: number[] = []
const rates = { with: [] as number[], without: [] as number[] }
for (let pair = 0; pair < PAIRS; pair++) {
  // Which goes first changes: the machine has other things to do as well.
  const order = pair % 2 === 0 ? ([without, with_] as const) : ([with_, without] as const)
  const first = await drain(order[0])
  const second = await drain(order[1])
  const [a, b] = pair % 2 === 0 ? [second, first] : [first, second]
  rates.with.push(a)
  rates.without.push(b)
  ratios.push(a / b)
}
report({
  name: 'dead IRC servers, 4 builds at once',
  ours: median(rates.with),
  against: median(rates.without),
  unit: 'builds/s',
  limit: 'the same without IRC',
})
const { low, high } = interval(ratios)
report({
  name: 'dead IRC servers, low end of the ratio',
  ours: low,
  against: 1,
  unit: '',
  limit: '95 % of ten pairs',
  aim: { atMost: 1 },
})
report({
  name: 'dead IRC servers, high end of the ratio',
  ours: high,
  against: 1,
  unit: '',
  limit: '95 % of ten pairs',
  aim: { atLeast: 1 },
})
mute.close()

/** Where the mean of the pairs lies with 95 %: Student's t with nine degrees of freedom, on logarithms. */
function interval(values: readonly number[]): { readonly low: number; readonly high: number } {
  const logs = values.map(Math.log)
  const mean = logs.reduce((a, b) => a + b) / logs.length
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1)
  const half = 2.262 * Math.sqrt(variance / logs.length)
  return { low: Math.exp(mean - half), high: Math.exp(mean + half) }
}

function start(status: typeof bots): Promise<BenchMaster> {
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
      status,
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
