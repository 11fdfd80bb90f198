import type { Log, SlaveDoor } from 'boltbot/plugin-sdk'
import { createSeededRandom, type FakeClock } from 'boltbot/plugin-sdk/testing'
import type { KeptConfigs } from '../../core/config/kept.ts'
import type { Config } from '../../core/config/model.ts'
import { createMaster } from '../../core/master.ts'
import type { Master } from '../../core/master-api.ts'
import type { LogStore } from '../../core/store/log-store.ts'
import type { Store, StoredEvent } from '../../core/store/store.ts'
import { createLife, type Life, mortal } from './life.ts'
import { createMortalClock } from './mortal-clock.ts'
import { createMortalStore, type Fault } from './mortal-store.ts'

/** One master process on the store of the simulation. */
export interface SimProcess {
  readonly life: Life
  /** `starting`, `running`, `stopping`; `over` when it stopped or could not start. Whether it lives says `life`. */
  readonly state: 'starting' | 'running' | 'stopping' | 'over'
  /** Only while it runs. */
  readonly master: Master | undefined
  readonly door: SlaveDoor | undefined
  stop(): void
  deliver(events: readonly StoredEvent[]): void
  /** Where each of its timers was made. */
  openTimers(): readonly string[]
}

export interface SimProcessDeps {
  readonly config: Config
  readonly configs: KeptConfigs
  readonly seed: number
  readonly clock: FakeClock
  readonly store: Store
  readonly logStore: LogStore
  readonly log: Log
  readonly door: () => SlaveDoor | undefined
  readonly fault: (life: Life, name: string) => Fault
  readonly readFails: (life: Life) => boolean
  readonly touched: () => void
  readonly started: () => void
  readonly stopped: () => void
}

export function startProcess(deps: SimProcessDeps): SimProcess {
  const { touched } = deps
  const life = createLife()
  const clock = createMortalClock(deps.clock, life)
  const store = createMortalStore({
    store: deps.store,
    life,
    touched,
    fault: (name) => deps.fault(life, name),
    readFails: () => deps.readFails(life),
  })
  let state: SimProcess['state'] = 'starting'
  let master: Master | undefined

  async function start(): Promise<void> {
    master = await createMaster({
      config: deps.config,
      configs: deps.configs,
      basedir: '/simulation',
      clock,
      random: createSeededRandom(deps.seed),
      log: deps.log,
      store,
      // The logs outlive the process.
      logStore: mortal({ ...deps.logStore, close: async () => {} }, life, touched),
      secrets: { resolve: (value) => (typeof value === 'string' ? value : value.name) },
      redactor: () => ({ push: (data) => data, end: () => new Uint8Array() }),
      redact: (text) => text,
      hide: () => {},
    })
    await master.start()
  }
  const over = () => {
    if (state === 'over') return
    state = 'over'
    deps.stopped()
  }
  start().then(
    () => {
      if (state !== 'starting') return
      state = 'running'
      deps.started()
    },
    (error: unknown) => {
      deps.log.info('simulated master could not start', { error })
      // Told to stop while it started, it is over when it has stopped.
      if (state === 'starting') over()
    },
  )
  return {
    life,
    get state() {
      return state
    },
    get master() {
      return state === 'running' && life.state === 'alive' ? master : undefined
    },
    get door() {
      return state !== 'over' && life.state === 'alive' ? deps.door() : undefined
    },
    stop() {
      if (state === 'stopping' || state === 'over' || master === undefined) return
      state = 'stopping'
      master.stop().then(over, (error: unknown) => {
        deps.log.error('simulated master could not stop', { error })
        over()
      })
    },
    deliver: store.deliver,
    openTimers: clock.open,
  }
}
