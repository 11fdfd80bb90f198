// The process of a master under measurement: does what master-process.ts asks for over IPC.
import { setTimeout as sleep } from 'node:timers/promises'
import { builder, buildFactory, definePlugin, slave } from 'boltbot/plugin-sdk'
import { stockWorkers } from '../plugins/slaves/pb/index.ts'
import { agents } from '../plugins/slaves/websocket/index.ts'
import { shellCommand } from '../plugins/steps/index.ts'
import { startBenchMaster } from './bench-master.ts'
import { loadOptions } from './load.ts'

export interface MasterOptions {
  /** Each with the password `secret` and room for one build. */
  readonly slaves: readonly string[]
  /** What the one builder, `full`, runs on any of them. */
  readonly command: string | readonly string[]
  /** See load.ts. */
  readonly loaded?: boolean
  /** What its slaves speak; default: our own protocol, and msgpack as stock workers have it. */
  readonly protocol?: 'pb'
}

export interface MasterCalls {
  port(): Promise<number>
  /** Queues builds of `full`; resolves when all are stored. */
  enqueue(count: number): Promise<void>
  /** Builds that were queued so far are done; gives when each ended, ms. */
  drained(): Promise<readonly number[]>
  /** A slave is attached. */
  attached(): Promise<void>
  /** Hands in changes, each when the build of the one before it has ended; gives ms from the change to start and end of its build. */
  changes(count: number): Promise<{ readonly started: readonly number[]; readonly finished: readonly number[] }>
  usage(): { readonly cpuMs: number; readonly peakBytes: number }
  /** Memory after all garbage was collected. */
  collected(): Promise<{ readonly rss: number; readonly heapUsed: number }>
  stop(): Promise<void>
}

export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

const { slaves, command, protocol, loaded = false } = JSON.parse(process.argv[2] ?? '') as MasterOptions
const port = Promise.withResolvers<number>()
const bench = await startBenchMaster({
  loaded,
  config: {
    transports: [(protocol === 'pb' ? stockWorkers : agents)({ port: 0, onListening: port.resolve })],
    slaves: slaves.map((name) => slave({ name, password: 'secret', maxBuilds: 1 })),
    builders: [
      builder({
        name: 'full',
        slaves,
        ...loadOptions(loaded, slaves.length),
        factory: buildFactory([shellCommand({ command })]),
      }),
    ],
    schedulers: [eachChange()()],
  },
})
let queued = 0
let ends: number[] = []
const startTimes = new Map<number, number>()
bench.onBuild((event) => {
  if (event.what === 'finished') ends.push(performance.now())
  else startTimes.set(event.changes[0] ?? -1, performance.now())
})

const calls: MasterCalls = {
  port: () => port.promise,
  async enqueue(count) {
    queued += count
    ends = []
    await bench.enqueue('full', count)
  },
  async drained() {
    await bench.ended(queued)
    return ends
  },
  async attached() {
    while (!(await bench.master.query.slaves()).some((one) => one.state === 'idle')) await sleep(5)
  },
  async changes(count) {
    const started: number[] = []
    const finished: number[] = []
    for (let i = 0; i < count; i++) {
      const revision = `r${++queued}`
      const from = performance.now()
      const { change } = await bench.master.submitChange(
        { who: 'jane', files: ['a.c'], comments: 'a change', branch: 'main', revision },
        'bench',
      )
      await bench.ended(queued)
      started.push(startTimes.get(change.id)! - from)
      finished.push(ends.at(-1)! - from)
      startTimes.clear()
    }
    return { started, finished }
  },
  usage() {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    return { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: maxRSS * 1024 }
  },
  async collected() {
    await sleep(200)
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.()
      await sleep(20)
    }
    const { rss, heapUsed } = process.memoryUsage()
    return { rss, heapUsed }
  },
  async stop() {
    await bench[Symbol.asyncDispose]()
  },
}

process.on('message', async ({ id, name, args }: { id: number; name: keyof MasterCalls; args: never[] }) => {
  const answer = (reply: Omit<Answer, 'id'>) => void process.send?.({ id, ...reply } satisfies Answer)
  try {
    // Name and arguments are a pair of MasterCalls: master-process.ts is the other half.
    answer({ value: await (calls[name] as (...args: never[]) => unknown)(...args) })
  } catch (error) {
    answer({ error: String(error) })
  }
})

/** A build for each change at once, without a timer. */
function eachChange() {
  return definePlugin({
    name: 'bench/each',
    kind: 'scheduler',
    needs: ['schedulers'],
    apply(host) {
      host.registerScheduler({
        name: 'each',
        builders: ['full'],
        initial: null,
        decide: (input) =>
          input.kind === 'change'
            ? { state: null, buildsets: [{ reason: 'a change', changes: [input.change.id] }] }
            : { state: null },
      })
    },
  })
}
