import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BuildView,
  type Clock,
  definePlugin,
  type MasterConfig,
  type SlaveDoor,
  type StoredHook,
} from 'boltbot/plugin-sdk'
import {
  createFakeClock,
  createMemoryLog,
  createScriptedSlave,
  createSeededRandom,
  type FakeClock,
  type MemoryLog,
  type ScriptedAnswer,
  type ScriptedSlave,
} from 'boltbot/plugin-sdk/testing'
import type { Config } from '../../core/config/model.ts'
import { createMaster } from '../../core/master.ts'
import type { Master } from '../../core/master-api.ts'
import type { ConfigPlan } from '../../core/plan/plan.ts'
import { createRedactor, type Redactor } from '../../core/redact.ts'
import type { LogStore } from '../../core/store/log-store.ts'
import { createMemoryLogStore } from '../../core/store/logs/memory-log-store.ts'
import { openSqliteStore } from '../../core/store/open.ts'
import type { Store } from '../../core/store/store.ts'
import { driven } from '../../plugin-sdk/testing/rig/driven.ts'
import { createRecorder, type RigEvent, storyLine } from '../../plugin-sdk/testing/rig/story.ts'
import { checked } from './checked.ts'

/** Anything of a config but what the rig fills in. */
export type RigOptions = Omit<MasterConfig['options'], 'projectName' | 'transports'> & Partial<MasterConfig['options']>

export interface Rig extends AsyncDisposable {
  readonly master: Master
  readonly clock: FakeClock
  readonly log: MemoryLog
  readonly store: Store
  readonly logStore: LogStore
  readonly redactor: Redactor
  readonly events: readonly RigEvent[]
  /** Attaches a scripted slave. */
  slave(
    name: string,
    answers?: readonly ScriptedAnswer[],
    info?: { readonly resumable?: boolean },
  ): Promise<ScriptedSlave>
  readonly door: SlaveDoor
  /** Lets everything settle and gives the names and builders of the events so far, for comparing: `buildFinished full #0 success`. */
  story(...names: readonly StoredHook[]): Promise<readonly string[]>
  build(builder: string, number: number): Promise<BuildView>
  settle(): Promise<void>
  reconfigure(options: RigOptions): Promise<readonly string[]>
  plan(options: RigOptions, lastChanges: number): Promise<ConfigPlan>
  /** Ends this master as a kill would: nothing is stopped or flushed; the store stays. Gives a new one on the same store. */
  restart(options?: RigOptions): Promise<Rig>
}

/** A whole master in memory: real walk, real store, fake clock, scripted slaves. */
export async function createRig(options: RigOptions, seed = 1): Promise<Rig> {
  const clock = createFakeClock()
  const log = createMemoryLog()
  const store = await openSqliteStore({ file: ':memory:', clock, log })
  const basedir = await mkdtemp(join(tmpdir(), 'boltbot-rig-'))
  const configs = new Map<RigOptions, string>()
  const logStore = createMemoryLogStore()
  return startRig({ options, seed, clock, log, store, logStore, basedir, configs, gone: new Set() })
}

interface RigParts {
  readonly options: RigOptions
  readonly seed: number
  readonly clock: FakeClock
  readonly log: MemoryLog
  readonly store: Store
  readonly logStore: LogStore
  readonly basedir: string
  /** Hash of each config that there was. */
  readonly configs: Map<RigOptions, string>
  /** Hashes of those that were not kept. */
  readonly gone: Set<string>
}

async function startRig(parts: RigParts): Promise<Rig> {
  const { clock, log, store, logStore, basedir } = parts
  const events: RigEvent[] = []
  let door: SlaveDoor | undefined
  const recorder = createRecorder((event) => events.push(event))
  const transport = definePlugin({
    name: 'rig/slaves',
    kind: 'slave',
    needs: ['slaves'],
    apply(host) {
      door = host.slaves
    },
  })
  const toConfig = (options: RigOptions): Config => {
    const hash = parts.configs.getOrInsertComputed(options, () => `rig ${parts.configs.size}`)
    parts.gone.delete(hash)
    return checked(
      {
        ...options,
        plugins: [...(options.plugins ?? []), recorder],
        transports: [...(options.transports ?? []), transport()],
      },
      hash,
    )
  }
  const redactor = createRedactor()
  const process = { killed: false }
  const slaves: ScriptedSlave[] = []
  const master = await createMaster({
    config: toConfig(parts.options),
    basedir,
    clock: clockOf(clock, process),
    random: createSeededRandom(parts.seed),
    log,
    store: storeOf(store, process),
    logStore: logStoreOf(logStore, process),
    secrets: { resolve: (value) => (typeof value === 'string' ? value : `secret ${value.name}`) },
    redactor: () => redactor.stream(),
    hide: redactor.add,
    configs: {
      async load(hash) {
        const [options] = [...parts.configs].find(([, known]) => known === hash) ?? []
        if (options === undefined || parts.gone.has(hash)) throw new Error(`there is no config ${hash}`)
        return toConfig(options)
      },
      async retain(hashes) {
        for (const hash of parts.configs.values()) if (!hashes.has(hash)) parts.gone.add(hash)
      },
    },
    redact: redactor.text,
  })
  await driven(clock, master.start())
  const settle = async () => {
    for (let i = 0; i < 10; i++) await clock.settle()
  }

  const rig: Rig = {
    master,
    clock,
    log,
    store,
    logStore,
    redactor,
    events,
    get door() {
      return door!
    },
    async slave(name, answers = [], info = {}) {
      const slave = createScriptedSlave({ name, answers, info, clock })
      slaves.push(slave)
      await slave.attach(door!)
      return slave
    },
    settle,
    async story(...names) {
      await settle()
      return events
        .filter((one) => names.length === 0 || (names as readonly string[]).includes(one.name))
        .map(storyLine)
    },
    async build(builder, number) {
      const build = await master.query.buildByNumber(builder, number)
      if (build === undefined)
        throw new Error(`there is no build ${builder} #${number}; story so far:\n${events.map(storyLine).join('\n')}`)
      return build
    },
    reconfigure: (options) => driven(clock, master.reconfigure(toConfig(options), { who: 'test', via: 'test' })),
    plan: (options, lastChanges) => master.plan(toConfig(options), lastChanges),
    restart(options = parts.options) {
      process.killed = true
      for (const slave of slaves) slave.drop('the master was killed')
      return startRig({ ...parts, options, seed: parts.seed + 1 })
    },
    async [Symbol.asyncDispose]() {
      // What was killed stops no more; its successor has the folder.
      if (process.killed) return
      await driven(clock, master.stop())
      await rm(basedir, { recursive: true, force: true })
    },
  }
  return rig
}

/** The store as one process sees it: nothing is asked of it once that is killed. */
function storeOf(store: Store, process: { readonly killed: boolean }): Store {
  const transition: Store['transition'] = (...asked) =>
    process.killed ? new Promise(() => {}) : store.transition(...asked)
  return { ...store, transition, close: () => store.close() }
}

function logStoreOf(logStore: LogStore, process: { readonly killed: boolean }): LogStore {
  const never = new Promise<never>(() => {})
  return {
    ...logStore,
    append: (...asked) => (process.killed ? never : logStore.append(...asked)),
    finish: (key) => (process.killed ? never : logStore.finish(key)),
    close: () => logStore.close(),
  }
}

/** The clock of one process: when that is killed, none of its timers fires any more. */
function clockOf(clock: Clock, process: { readonly killed: boolean }): Clock {
  return {
    now: () => clock.now(),
    timer: (ms, fire) => clock.timer(ms, () => (process.killed ? undefined : fire())),
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal)
      if (process.killed) await new Promise(() => {})
    },
  }
}
