import type { Log } from 'boltbot/plugin-sdk'
import { createFakeClock, type FakeClock } from 'boltbot/plugin-sdk/testing'
import type { LogStore } from '../../core/store/log-store.ts'
import { createMemoryLogStore } from '../../core/store/logs/memory-log-store.ts'
import { openSqliteStore } from '../../core/store/open.ts'
import type { Store, StoredEvent } from '../../core/store/store.ts'
import { type Chance, createChance } from './chance.ts'
import { createFaults, type Faults } from './faults.ts'
import { createHistory, type History } from './history.ts'
import { createPauses, type Pauses } from './pauses.ts'
import { configOf, type Plan } from './plan.ts'
import { createPlans } from './plans.ts'
import { createPresence, type Presence } from './presence.ts'
import { createDurableRecord, createProbes, type DurableRecord } from './probes.ts'
import { createScript, type Script } from './script.ts'
import { type SimProcess, startProcess } from './sim-process.ts'
import { createSimSlave, type SimSlave } from './sim-slave.ts'
import { createTrace, type Trace } from './trace.ts'
import { createVerdict, type Verdict } from './verdict.ts'

/** All there is in one simulation: time, chance, one store, processes that come and go, slaves. */
export interface World extends AsyncDisposable {
  readonly clock: FakeClock
  readonly chance: Chance
  readonly verdict: Verdict
  readonly trace: Trace
  readonly history: History
  readonly presence: Presence
  readonly durable: DurableRecord
  readonly store: Store
  readonly logStore: LogStore
  readonly script: Script
  readonly faults: Faults
  readonly pauses: Pauses
  readonly slaves: ReadonlyMap<string, SimSlave>
  /** Told of each event of the journal, after the history. */
  onEvent(told: (event: StoredEvent) => void): void
  /** The config that is wanted, and each one of the last while. */
  readonly plan: Plan
  plansSince(moment: number): readonly Plan[]
  /** The newest process. */
  readonly process: SimProcess | undefined
  readonly zombies: readonly SimProcess[]
  /** A frozen process went on beside its successor. */
  readonly haunted: boolean
  /** Another slave program under a name that is in use. */
  readonly twins: Set<SimSlave>
  twinOf(name: string): SimSlave
  start(): void
  kill(): void
  freeze(): void
  thaw(): void
  killZombies(): void
  /** Begins to put it in force; `refused`: a plugin of it does not start, and all is put back. */
  reconfigure(plan: Plan, refused?: boolean): void
  readonly reconfiguring: boolean
  /** Until nothing happens any more without the clock. */
  settle(): Promise<void>
  advance(ms: number): Promise<void>
  /** No more durable taps that fail. */
  calm(): void
}

export async function createWorld(
  seed: number,
  first: (chance: Chance) => Plan,
  told?: (line: string) => void,
): Promise<World> {
  const clock = createFakeClock()
  const chance = createChance(seed)
  const verdict = createVerdict()
  const trace = createTrace(clock, told)
  const history = createHistory(verdict)
  const presence = createPresence(verdict)
  const durable = createDurableRecord(verdict, idsBefore)
  const store = await openSqliteStore({ file: ':memory:', clock, log: silent })
  const logStore = createMemoryLogStore()
  let touches = 0
  const touched = () => void touches++
  const script = createScript(chance, clock, touched)
  const faults = createFaults(trace.note)
  const listeners: ((event: StoredEvent) => void)[] = []
  const processes: SimProcess[] = []
  const zombies = new Set<SimProcess>()
  const log = trace.logOf(verdict)
  let process: SimProcess | undefined
  const plans = createPlans(clock, first(chance))
  let reconfiguring = false
  let calm = false
  let haunted = false
  let probes: ReturnType<typeof createProbes> | undefined

  function* idsBefore(id: number): Iterable<number> {
    // Newest first: what was told has everything before it.
    for (let at = history.events.length - 1; at >= 0; at--) {
      const { eventId } = history.events[at]!.event
      if (eventId < id) {
        yield eventId
        return
      }
    }
  }

  store.onEvents((events) => {
    for (const event of events) {
      trace.event(event)
      history.follow(event)
      presence.follow(event)
      for (const told of listeners) told(event)
    }
    touched()
    for (const one of processes) one.deliver(events)
  })

  const makeSlave = (name: string): SimSlave =>
    createSimSlave({
      name,
      resumable: chance.often(0.6),
      answers: script.answers,
      clock,
      chance,
      door: () => process?.door,
      touched,
      note: trace.note,
    })
  const slaves = new Map(['s0', 's1', 's2', 's3'].map((name) => [name, makeSlave(name)]))
  const twins = new Set<SimSlave>()
  const cutLinks = () => {
    for (const slave of [...slaves.values(), ...twins]) slave.drop()
  }

  async function gone(): Promise<void> {
    reconfiguring = false
    plans.putBack()
    const rows = await store.db.selectFrom('schedulers').select('name').execute()
    presence.died(new Set(rows.map((row) => row.name)))
  }
  const world: World = {
    get pauses() {
      return pauses
    },
    clock,
    chance,
    verdict,
    trace,
    history,
    presence,
    durable,
    store,
    logStore,
    script,
    faults,
    slaves,
    twins,
    onEvent: (told) => void listeners.push(told),
    get plan() {
      return plans.now
    },
    plansSince: plans.since,
    get process() {
      return process
    },
    get haunted() {
      return haunted
    },
    get zombies() {
      return [...zombies]
    },
    twinOf(name) {
      const twin = makeSlave(name)
      twins.add(twin)
      return twin
    },
    start() {
      trace.note('a master starts')
      presence.changing(plans.now.schedulers)
      const own = createProbes({ chance, verdict, durable, mayFail: () => !calm })
      probes = own
      const { schedulers } = plans.now
      const begun = startProcess({
        config: configOf(plans.now, [own.transport()], own.probes),
        configs: {
          load: async (hash) => configOf(plans.ofHash(hash), [own.transport()], own.probes),
          retain: async () => {},
        },
        seed: chance.between(0, 1e9),
        clock,
        store,
        logStore,
        log,
        door: own.door,
        fault: (life, name) => (life === process?.life ? faults.next(name) : undefined),
        readFails: (life) => life === process?.life && faults.nextRead(),
        touched,
        started: () => {
          trace.note('the master runs')
          presence.changed(schedulers)
        },
        stopped: () => {
          trace.note('the master is over')
          const left = begun.life.state === 'alive' ? begun.openTimers() : []
          if (left.length > 0)
            verdict.broken('nothing is left behind', `timers of a stopped master: ${left.join('; ')}`)
          begun.life.die()
        },
      })
      begun.life.onDeath(() => {
        trace.note('the master is dead')
        cutLinks()
        void gone()
      })
      process = begun
      processes.push(begun)
    },
    kill: () => process?.life.die(),
    freeze() {
      // One that has not taken the store yet would take it from its successor: the lock on the file excludes that.
      if (process?.master === undefined || process.life.state !== 'alive' || reconfiguring) return
      trace.note('the master is stopped in its tracks')
      process.life.freeze()
      zombies.add(process)
      cutLinks()
      void gone()
      process = undefined
    },
    thaw() {
      if (zombies.size > 0) haunted = true
      for (const zombie of zombies) zombie.life.thaw()
    },
    killZombies() {
      for (const zombie of zombies) zombie.life.die()
      zombies.clear()
    },
    reconfigure(next, refused = false) {
      const { master, life } = process ?? {}
      if (master === undefined || life === undefined || reconfiguring) return
      // One that goes on under the old config would take up again what it was told to forget.
      if (!plans.now.schedulers.isSubsetOf(next.schedulers)) world.killZombies()
      reconfiguring = true
      presence.changing(next.schedulers)
      plans.attempt(next)
      const own = probes!
      const config = configOf(next, [own.transport()], refused ? own.probesThatFail : own.probes)
      master.reconfigure(config, { who: 'jane', via: 'simulation' }).then(
        (lines) => {
          trace.note(`reconfigured: ${lines.join('; ')}`)
          if (refused) verdict.broken('a reconfigure succeeds or is rolled back as a whole', 'it was not refused')
          if (life.state !== 'alive') return
          plans.keep()
          presence.changed(next.schedulers)
          reconfiguring = false
        },
        (error: unknown) => {
          trace.note(`not reconfigured: ${error}`)
          if (life.state !== 'alive') return
          const runs = process?.master === master // one that stops changes nothing any more
          const isFault = refused || `${error}`.includes('simulated failure')
          if (!isFault && runs) verdict.broken('a reconfigure succeeds or is rolled back as a whole', `${error}`)
          plans.putBack()
          presence.changed(plans.now.schedulers)
          reconfiguring = false
        },
      )
    },
    get reconfiguring() {
      return reconfiguring
    },
    async settle() {
      for (let quiet = 0, rounds = 0; quiet < 2; rounds++) {
        const before = touches
        await clock.settle()
        quiet = touches === before ? quiet + 1 : 0
        if (rounds > 500) return verdict.broken('no part fails by itself', 'it never comes to rest')
      }
    },
    async advance(ms) {
      await clock.advance(ms)
      await world.settle()
    },
    calm() {
      calm = true
    },
    async [Symbol.asyncDispose]() {
      for (const one of processes) one.life.die()
      for (const slave of [...slaves.values(), ...twins]) slave.switchOff(true)
      await clock.settle()
      await store.close()
    },
  }
  const pauses = createPauses(world)
  return world
}

const silent: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => silent }
