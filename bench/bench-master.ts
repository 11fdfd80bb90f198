import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BuildFinished,
  type BuildStarted,
  defineMaster,
  definePlugin,
  type Log,
  type MasterConfig,
  type SlaveDoor,
} from 'boltbot/plugin-sdk'
import { createClock, random } from '../core/clock.ts'
import { checkConfig } from '../core/config/check.ts'
import type { Config } from '../core/config/model.ts'
import { createPositions } from '../core/config/positions.ts'
import { formatProblems } from '../core/config/problem.ts'
import { createLog } from '../core/log.ts'
import { createMaster } from '../core/master.ts'
import type { Master } from '../core/master-api.ts'
import { layout } from '../core/master-deps.ts'
import { createRedactor } from '../core/redact.ts'
import { createFileLogStore } from '../core/store/logs/file-log-store.ts'
import { openSqliteStore } from '../core/store/open.ts'
import type { Store } from '../core/store/store.ts'
import { loadOrder } from './load.ts'

/** The real master over real files in a folder of its own, told in this process of each start and end of a build. */
export interface BenchMaster extends AsyncDisposable {
  readonly master: Master
  readonly config: Config
  readonly store: Store
  readonly door: SlaveDoor
  /** Builds that ended so far. */
  readonly finished: number
  /** Called for every build, in this order. */
  onBuild(listener: BuildListener): void
  /** Resolves when so many builds ended in all. */
  ended(count: number): Promise<void>
  /** A config of this master, for a reconfigure. */
  checked(config: BenchMasterOptions['config']): Config
  /** Another master over the same files, with the config it began with; the one before was stopped. */
  again(): Promise<void>
  /** Queues requests, many callers at once as in real life. */
  enqueue(builder: string, count: number): Promise<void>
}

export type BuildListener = (
  event: ({ readonly what: 'started' } & BuildStarted) | ({ readonly what: 'finished' } & BuildFinished),
) => void

export interface BenchMasterOptions {
  readonly config: Omit<MasterConfig['options'], 'projectName' | 'transports'> &
    Pick<Partial<MasterConfig['options']>, 'transports'>
  /** What is queued differs in priority and merge key; the builders' part of it is `loadOptions`. */
  readonly loaded?: boolean
  /** See `openSqliteStore`. */
  readonly sync?: (fd: number) => Promise<void>
}

const CALLERS = 64

export async function startBenchMaster({ config, loaded = false, sync }: BenchMasterOptions): Promise<BenchMaster> {
  const directory = await mkdtemp(join(tmpdir(), 'boltbot-bench-'))
  const log = createStderrLog()
  const clock = createClock(log)
  const files = layout(directory)
  const redactor = createRedactor()
  const listeners: BuildListener[] = []
  let door: SlaveDoor | undefined
  const watcher = definePlugin({
    name: 'bench/watcher',
    kind: 'status',
    apply(host) {
      host.tap('buildStarted', (event) => listeners.forEach((tell) => void tell({ what: 'started', ...event })))
      host.tap('buildFinished', (event) => listeners.forEach((tell) => void tell({ what: 'finished', ...event })))
    },
  })
  const transport = definePlugin({
    name: 'bench/slaves',
    kind: 'slave',
    needs: ['slaves'],
    apply(host) {
      door = host.slaves
    },
  })
  const checkedWithOurs = (given: BenchMasterOptions['config']) =>
    checked({
      ...given,
      plugins: [...(given.plugins ?? []), watcher()],
      transports: [...(given.transports ?? []), transport()],
    })
  const checkedConfig = checkedWithOurs(config)
  async function start() {
    const store = await openSqliteStore({ file: files.database, clock, log, ...(sync && { sync }) })
    const master = await createMaster({
      config: checkedConfig,
      basedir: directory,
      clock,
      random,
      log,
      store,
      logStore: createFileLogStore({ directory: files.logs, clock, log }),
      secrets: { resolve: (value) => (typeof value === 'string' ? value : value.name) },
      redactor: redactor.stream,
      redact: redactor.text,
      hide: redactor.add,
    })
    await master.start()
    return { store, master }
  }
  let running = await start()

  let finished = 0
  let queued = 0
  const waiting = new Set<{ readonly count: number; readonly resolve: () => void }>()
  listeners.push(({ what }) => {
    if (what !== 'finished') return
    finished++
    for (const one of waiting) {
      if (finished < one.count) continue
      waiting.delete(one)
      one.resolve()
    }
  })
  return {
    get master() {
      return running.master
    },
    config: checkedConfig,
    get store() {
      return running.store
    },
    checked: checkedWithOurs,
    async again() {
      running = await start()
    },
    get door() {
      return door!
    },
    get finished() {
      return finished
    },
    onBuild: (listener) => void listeners.push(listener),
    ended: (count) =>
      new Promise((resolve) => {
        if (finished >= count) resolve()
        else waiting.add({ count, resolve })
      }),
    async enqueue(builder, count) {
      let left = count
      const order = () => ({ builder, who: 'bench', reason: 'bench', ...(loaded && loadOrder(queued++)) })
      const call = async () => {
        while (left-- > 0) await running.master.force(order(), 'bench')
      }
      await Promise.all(Array.from({ length: CALLERS }, call))
    },
    async [Symbol.asyncDispose]() {
      await running.master.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function checked(options: BenchMasterOptions['config']) {
  // Names of slaves and builders are put together at run time: the types of the config cannot follow them.
  const exported = defineMaster({ projectName: 'Bench', ...options } as Parameters<typeof defineMaster>[0])
  const { config, problems } = checkConfig(
    'bench.cfg.ts',
    { exported, hashOf: () => 'bench' },
    createPositions('bench.cfg.ts'),
  )
  if (config === undefined) throw new Error(formatProblems(problems))
  return config
}

/** What goes wrong is seen; one line per build is not what is measured. */
function createStderrLog(): Log {
  return createLog({
    write: (line) => void process.stderr.write(`${line}\n`),
    format: 'json',
    level: 'warn',
    redact: (line) => line,
    clock: { now: Date.now },
  })
}
