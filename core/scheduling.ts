import { isDeepStrictEqual } from 'node:util'
import {
  type Change,
  type Clock,
  checkForm,
  type Decision,
  type FormOrder,
  type Json,
  type Log,
  type SchedulerInput,
  type SchedulerRules,
  type SchedulerView,
} from 'boltbot/plugin-sdk'
import type { Buildsets } from './buildsets.ts'
import { formWrong, noForm, notTriggerable, schedulerTwice, unknownScheduler } from './errors.ts'
import { decideBy } from './scheduler-decision.ts'
import { createSchedulerInputs } from './scheduling/inputs.ts'
import { ordersOf, triggerKey } from './scheduling/orders.ts'
import { type CreatedBuildset, findByKey, type NewBuildset } from './store/buildsets.ts'
import { openScheduler, type SchedulerRow, saveDecision } from './store/schedulers.ts'
import type { Store, StoredEvent } from './store/store.ts'

/**
 * Stage 3 of the walk: feeds each scheduler its inputs, one at a time and in the order of the journal, and stores what it
 * decides: new state, position in the journal and buildsets in one transaction. So each change reaches each scheduler exactly
 * once, over crashes too. An input that changed nothing moves the position in memory, and in the store only now and then: it may
 * be seen again after a crash, and again changes nothing.
 */
export interface Scheduling {
  /** Adds a scheduler; it begins to work at `start`, or at once when that was called. Disposing takes it out, its stored state stays. */
  register(rules: SchedulerRules): AsyncDisposable
  /** Schedulers never seen before that register from now on begin here in the journal: call it before sources are started. */
  mark(): Promise<void>
  /** Opens the stored states and feeds what came while nobody ran. */
  start(): Promise<void>
  /** Events of the journal, in order. */
  deliver(events: readonly StoredEvent[]): void
  /** Asks a scheduler not to wait any longer; resolves with the number of buildsets it created. */
  runNow(name: string): Promise<number>
  /** A step asks a scheduler for builds; resolves with what it created. @throws CiError when it is not one for steps. */
  trigger(name: string, order: Omit<TriggerInput, 'kind'>): Promise<readonly CreatedBuildset[]>
  /** The builders that a person may have this scheduler build. @throws CiError when it has no form. */
  forceable(name: string): readonly string[]
  /** A person asks, with a form filled in; resolves with what was created. @throws CiError that tells all fields that are not right. */
  force(order: FormOrder): Promise<readonly CreatedBuildset[]>
  list(): readonly SchedulerView[]
  /** Waits for inputs under way, stops the timers. */
  stop(): Promise<void>
}

export interface SchedulingDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly buildsets: Buildsets
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
  /** Id of the newest stored event. */
  readonly head: () => Promise<number>
  /** Stored events after an id, for catching up: at most `limit`. */
  readonly eventsAfter: (
    eventId: number,
    names: readonly StoredEvent['name'][],
    limit: number,
  ) => Promise<readonly StoredEvent[]>
}

type TriggerInput = Extract<SchedulerInput, { readonly kind: 'trigger' }>

interface Running {
  readonly rules: SchedulerRules
  /** Where in the journal it begins when it was never seen before. */
  readonly from: number
  row: SchedulerRow
  /** Inputs passed over since the row was stored. */
  passedOver: number
  timer: Disposable | undefined
  /** Inputs run one after the other. */
  tail: Promise<unknown>
  live: boolean
  /** It had its `start`. */
  begun: boolean
}

const FED = ['changeAccepted', 'buildsetFinished'] as const
const RETRY_MS = 5000
const FAILED_MS = 5 * 60_000
const LOOK_MS = 60_000
const STORE_AFTER = 100

/** Another master was faster with this scheduler; its decision stands. */
class DecidedElsewhere extends Error {}

export function createScheduling(deps: SchedulingDeps): Scheduling {
  const { store, clock, log } = deps
  const running = new Map<string, Running>()
  const inputOf = createSchedulerInputs(deps)
  let started = false
  let newcomersFrom = 0

  /** Loads the stored state and feeds what came since. Until it has, delivered events are passed over: it reads them itself. */
  async function open(entry: Running): Promise<void> {
    entry.live = false
    entry.timer?.[Symbol.dispose]()
    // Its row may have been forgotten by another master: what it has seen it must not see again.
    const from = Math.max(entry.from, entry.row.eventId)
    entry.row = await openScheduler(store, entry.rules.name, entry.rules.initial, from)
    for (;;) {
      const events = await deps.eventsAfter(entry.row.eventId, FED, 500)
      for (const event of events) await feedEvent(entry, event)
      if (events.length < 500) break
    }
    if (!entry.begun) await feed(entry, { kind: 'start' }, entry.row.eventId)
    entry.begun = true
    entry.live = true
    arm(entry)
  }

  async function feedEvent(entry: Running, stored: StoredEvent): Promise<void> {
    const { eventId } = stored.event
    if (eventId <= entry.row.eventId) return
    const input = await inputOf(entry.rules, stored)
    if (input === undefined) await passOver(entry, eventId)
    else await feed(entry, input, eventId)
  }

  /** The stored position follows in steps: retention keeps the journal from there on. */
  async function passOver(entry: Running, eventId: number): Promise<void> {
    entry.row = { ...entry.row, eventId }
    if (++entry.passedOver >= STORE_AFTER) await keep(entry, entry.row, [])
  }

  /** One input: decide, store, re-arm. Gives the buildsets. */
  async function feed(entry: Running, input: SchedulerInput, eventId: number): Promise<readonly CreatedBuildset[]> {
    let decision: Decision<Json>
    let buildsets: NewBuildset[] = []
    try {
      decision = decideBy(entry.rules, input, entry.row.state, clock.now())
    } catch (error) {
      decision = passOverFailed(entry, input, error)
    }
    // A store that cannot be read says nothing against the input: it comes again.
    const orders = await ordersOf(entry.rules, input, decision, deps.changesOf)
    try {
      buildsets = orders.map(deps.buildsets.prepare)
    } catch (error) {
      decision = passOverFailed(entry, input, error)
    }
    const { state, wakeAt = null, waiting = null } = decision
    const next = { ...entry.row, state, eventId, wakeAt, waiting }
    // Most schedulers have nothing to say to a start: that costs no write.
    if (input.kind === 'start' && buildsets.length === 0 && isDeepStrictEqual(next, entry.row)) return []
    const created = await keep(entry, next, buildsets)
    if (entry.live) arm(entry)
    return created
  }

  /** All stays as it is. A moment that failed comes again, and not at once: a nightly scheduler must not sleep for ever. */
  function passOverFailed(entry: Running, input: SchedulerInput, error: unknown): Decision<Json> {
    log.error('scheduler failed, this input is passed over', {
      scheduler: entry.rules.name,
      input: input.kind,
      error,
    })
    const { state, wakeAt, waiting } = entry.row
    return { state, wakeAt: input.kind === 'timer' ? clock.now() + FAILED_MS : wakeAt, waiting }
  }

  async function keep(
    entry: Running,
    next: SchedulerRow,
    buildsets: readonly NewBuildset[],
  ): Promise<readonly CreatedBuildset[]> {
    const stored = await saveDecision(store, next, buildsets)
    if (stored === null) throw new DecidedElsewhere()
    entry.row = stored.row
    entry.passedOver = 0
    return stored.created
  }

  function arm(entry: Running): void {
    entry.timer?.[Symbol.dispose]()
    entry.timer = undefined
    const { wakeAt } = entry.row
    if (wakeAt === null || !started) return
    // The moment is one of the wall clock, which is set, slewed and suspended: it is looked at again every minute.
    entry.timer = clock.timer(Math.min(Math.max(0, wakeAt - clock.now()), LOOK_MS), () => {
      enqueue(entry, async () => {
        if (!entry.live) return
        // An input that ran meanwhile may have put the moment off, and a timer may be a little early.
        if (entry.row.wakeAt === null || entry.row.wakeAt > clock.now()) arm(entry)
        else await feed(entry, { kind: 'timer' }, entry.row.eventId)
      }).catch(() => {}) // recover has it
    })
  }

  function enqueue<T>(entry: Running, task: () => Promise<T>): Promise<T> {
    const run = entry.tail.then(task)
    entry.tail = run.catch((error: unknown) => recover(entry, error))
    return run
  }

  /** What could not be stored must not be skipped by the next input: the scheduler goes back to its stored place. */
  function recover(entry: Running, error: unknown): void {
    entry.live = false
    entry.timer?.[Symbol.dispose]()
    if (!running.has(entry.rules.name) || !started) return
    const elsewhere = error instanceof DecidedElsewhere
    if (!elsewhere) log.error('scheduler input not stored, it is tried again', { scheduler: entry.rules.name, error })
    const again = () => void enqueue(entry, () => open(entry)).catch(() => {}) // then recover comes again
    entry.timer = clock.timer(elsewhere ? 0 : RETRY_MS, again)
  }

  /** An input that comes from outside the journal. */
  function ask(entry: Running, input: SchedulerInput): Promise<readonly CreatedBuildset[]> {
    return enqueue(entry, async () => {
      if (!entry.live) await open(entry)
      return feed(entry, input, entry.row.eventId)
    })
  }

  function known(name: string): Running {
    const entry = running.get(name)
    if (entry === undefined) throw unknownScheduler(name, running.keys())
    return entry
  }

  return {
    register(rules) {
      if (running.has(rules.name)) throw schedulerTwice(rules.name)
      const row = { name: rules.name, version: 0, state: rules.initial, eventId: 0, wakeAt: null, waiting: null }
      const tail = Promise.resolve()
      const from = newcomersFrom
      const entry: Running = { rules, from, row, passedOver: 0, timer: undefined, tail, live: false, begun: false }
      running.set(rules.name, entry)
      if (started) enqueue(entry, () => open(entry)).catch(() => {}) // recover has it
      return {
        async [Symbol.asyncDispose]() {
          running.delete(rules.name)
          await entry.tail
          entry.timer?.[Symbol.dispose]()
        },
      }
    },
    async mark() {
      newcomersFrom = await deps.head()
    },
    async start() {
      started = true
      await Promise.all([...running.values()].map((entry) => enqueue(entry, () => open(entry))))
    },
    deliver(events) {
      const fed = events.filter((event) => (FED as readonly string[]).includes(event.name))
      if (fed.length === 0 || !started) return
      for (const entry of running.values()) {
        for (const event of fed) {
          enqueue(entry, async () => {
            if (entry.live) await feedEvent(entry, event)
          }).catch(() => {}) // recover has it
        }
      }
    },
    async runNow(name) {
      return (await ask(known(name), { kind: 'now' })).length
    },
    async trigger(name, order) {
      // Heard before a restart: it stands, also when the scheduler is gone from the config by now.
      const heard = order.key === undefined ? undefined : await findByKey(store.db, triggerKey(order.key))
      if (heard !== undefined) return [heard]
      const entry = known(name)
      if (entry.rules.triggerable !== true) throw notTriggerable(name)
      return ask(entry, { kind: 'trigger', ...order })
    },
    forceable(name) {
      const { rules } = known(name)
      if (rules.form === undefined) throw noForm(name)
      return rules.builders
    },
    async force({ scheduler, who, builders = [], values: given = {} }) {
      const entry = known(scheduler)
      const { form, builders: offered } = entry.rules
      if (form === undefined) throw noForm(scheduler)
      const { values, problems } = checkForm(form, given, who)
      const others = builders.filter((builder) => !offered.includes(builder))
      const wrong = others.map((builder) => `it does not build "${builder}"`)
      if (problems.length + wrong.length > 0) throw formWrong(scheduler, [...wrong, ...problems])
      return ask(entry, { kind: 'force', who, builders, values })
    },
    list() {
      return [...running.values()].map(({ row: { name, waiting, wakeAt }, rules: { form, builders } }) => {
        return { name, waiting, wakeAt, builders, ...(form && { form }) }
      })
    },
    async stop() {
      started = false
      await Promise.all([...running.values()].map((entry) => entry.tail))
      for (const entry of running.values()) entry.timer?.[Symbol.dispose]()
    },
  }
}
