import { messageOf, type RequestId, type WhyNot } from 'boltbot/plugin-sdk'
import type { BuilderSpec, Config } from './config/model.ts'
import { createBuilderIndex } from './distributor/builder-index.ts'
import { createBuilderOrder } from './distributor/builder-order.ts'
import { type Aim, type ChoicesDeps, createChoices } from './distributor/choices.ts'
import { createStartPauses } from './distributor/start-pauses.ts'
import { createWhyNots, waitsForRetry } from './distributor/why-nots.ts'
import type { Locks } from './locks.ts'
import type { Placement, StartedByPlacement } from './placement.ts'
import type { SlavePool } from './slave-pool.ts'
import { countWaiting, firstWaiting, nextNotBefore, type WaitingRequest } from './store/requests.ts'

/**
 * Stage 8 of the walk, the only place where queue, pool and locks meet. Event-driven: something that changed wakes the builders
 * it concerns; a pass over a builder looks at the head of its queue only. What keeps the head waiting is stored as its why-not.
 */
export interface Distributor {
  /** Loads which builders have something waiting and makes the first pass. */
  start(): Promise<void>
  /** Something new waits for this builder, or its definition changed. */
  wake(builder: string): void
  /** A slave came, or has room again. */
  wakeSlave(slave: string): void
  /** A lock was released. */
  wakeLocks(): void
  whyNot(builder: string): WhyNot | undefined
  /** No new builds; resolves when starts under way have ended one way or the other. */
  stop(): Promise<void>
}

export interface DistributorDeps extends ChoicesDeps {
  readonly config: () => Config
  readonly pool: SlavePool
  readonly locks: Locks
  readonly placement: Placement
}

const TICKET = 'builder '
const ticketOf = (builder: string) => `${TICKET}${builder}`

export function createDistributor(deps: DistributorDeps): Distributor {
  const { store, clock, log, config, pool, locks } = deps
  /** Builders that may have waiting requests. */
  const waiting = new Set<string>()
  const dirty = new Set<string>()
  const passing = new Map<string, Promise<void>>()
  /** Requests a slave is being made ready for, by builder: still waiting in the store. */
  const starting = new Map<string, Set<RequestId>>()
  const starts = new Set<Promise<void>>()
  /** Of builders that wait for a lock: with which slave. */
  const aims = new Map<string, Aim>()
  const retryTimers = new Map<string, Disposable>()
  /** When each builder last got a slave: those that waited longest go first. */
  const served = new Map<string, number>()
  /** Something came free for them in this turn. */
  const eased = new Set<string>()
  let serial = 0
  let open = false
  let stopped = false
  const whyNots = createWhyNots(deps)
  const choices = createChoices(deps)
  const order = createBuilderOrder(deps)
  const { buildersOf, needsOn } = createBuilderIndex(config)
  const pauses = createStartPauses(clock, (builder) => wake(builder))
  let inOrder: Promise<void> | undefined

  function wake(builder: string): void {
    if (!open) return
    dirty.add(builder)
    order.forget(builder)
    if (config().prioritizeBuilders !== null) inOrder ??= passesInOrder().catch(failedInOrder)
    else if (!passing.has(builder)) void pass(builder, passes)
  }

  /** Looks at the builders that a slave or a lock which came free concerns, all of one turn together: the end of a build frees both. */
  function ease(builders: Iterable<string>): void {
    const isDue = eased.size > 0
    for (const builder of builders) eased.add(builder)
    if (!isDue && eased.size > 0) queueMicrotask(lookAtEased)
  }

  function lookAtEased(): void {
    const builders = [...eased].sort(byServed)
    eased.clear()
    for (const builder of builders) if (!stillBlocked(builder)) wake(builder)
  }

  function pass(builder: string, work: (builder: string) => Promise<void>): Promise<void> {
    const passed = work(builder)
      .catch((error: unknown) => {
        log.error('pass over a builder failed', { builder, error })
        tryAgain(builder, error)
      })
      .finally(() => {
        passing.delete(builder)
        if (dirty.has(builder)) wake(builder)
      })
    passing.set(builder, passed)
    return passed
  }

  /** What waits must not wait for the next event as well. */
  function tryAgain(builder: string, error: unknown): void {
    pauses.failed(builder, error)
    const pause = pauses.of(builder)
    if (pause === undefined) dirty.add(builder)
    else explain(builder, pause)
  }

  async function passes(builder: string): Promise<void> {
    while (dirty.delete(builder)) {
      while (open && config().builders.has(builder) && (await place(builder))) {}
      if (!config().builders.has(builder)) leaveRow(builder)
    }
  }

  /** With an order of the config's own: one builder after the other, one start each, so that the first in it is never overtaken. */
  async function passesInOrder(): Promise<void> {
    await Promise.resolve() // what is woken in one go is ordered as one
    while (open && dirty.size > 0) {
      const next = (await order.first([...dirty].sort(byServed)))!
      await passing.get(next)
      await pass(next, async (builder) => {
        dirty.delete(builder)
        if (!config().builders.has(builder)) leaveRow(builder)
        else if (await place(builder)) dirty.add(builder)
      })
    }
    inOrder = undefined
  }

  function failedInOrder(error: unknown): void {
    inOrder = undefined
    log.error('pass over the builders failed', { error })
    for (const builder of dirty) tryAgain(builder, error)
    const next = [...dirty].find((builder) => pauses.of(builder) === undefined)
    if (next !== undefined) wake(next)
  }

  const byServed = (a: string, b: string) => (served.get(a) ?? 0) - (served.get(b) ?? 0)

  /** Starts the head of a builder's queue on a slave; false when there is nothing to start, or nothing that can. */
  async function place(builder: string): Promise<boolean> {
    if (pool.free(builder).length === 0) return noneFree(builder)
    const inForce = config()
    const now = store.now()
    const without = [...startingOf(builder)]
    const spec = config().builders.get(builder)!
    const candidates = await firstWaiting(store.db, builder, now, choices.wanted(spec), without)
    if (candidates.length === 0) return nothingReady(builder, now, without.length)
    const request = await choices.request(spec, candidates)
    const chosen = await choices.slaves(spec, request, pool.free(builder), aims.get(builder))
    if (!open) return false
    const pause = pauses.of(builder)
    if (pause !== undefined) {
      leaveRow(builder)
      return explain(builder, pause)
    }
    // The choices were awaited: a slave may be taken. A request cancelled meanwhile is the claim's matter.
    const free = pool.free(builder)
    if (free.length === 0 || chosen.length === 0) return noneFree(builder)
    const slaves = chosen.filter((slave) => free.includes(slave))
    if (slaves.length === 0) return true
    const ticket = ticketOf(builder)
    const slave = slaves.find((name) => locks.blocked(ticket, needsOn(builder, name)) === undefined) ?? slaves[0]!
    const hold = locks.tryTake(ticket, `${builder} (starting)`, needsOn(builder, slave))
    if ('blockedBy' in hold) {
      aims.set(builder, { request: request.id, slave })
      return explain(builder, { code: 'lock', text: hold.blockedBy })
    }
    aims.delete(builder)
    using stack = new DisposableStack()
    const place = { slave, hold, reservation: stack.use(pool.reserve(slave, builder)) }
    stack.use(hold)
    // Last, as most passes of builders that wait for locks do not come to this.
    const requests = await mergedWith(spec, request)
    if (requests === undefined || !open) return false
    if (config() !== inForce) return true
    stack.move()
    explain(builder, null)
    start(builder, requests, place)
    return true
  }

  /** `undefined`: they could not be read; the builder is tried again later. */
  async function mergedWith(
    spec: BuilderSpec,
    request: WaitingRequest,
  ): Promise<readonly WaitingRequest[] | undefined> {
    try {
      return await choices.merged(spec, request, (id) => startingOf(spec.name).has(id))
    } catch (error) {
      log.error('requests could not be merged', { builder: spec.name, error })
      pauses.failed(spec.name, error)
      return undefined
    }
  }

  /** It waits for locks, and no free slave can have them yet: a pass would find nothing else. */
  function stillBlocked(builder: string): boolean {
    const aim = aims.get(builder)
    if (aim === undefined) return false
    const free = pool.free(builder)
    const blockers = free.map((slave) => locks.blocked(ticketOf(builder), needsOn(builder, slave)))
    const text = blockers[free.indexOf(aim.slave)]
    if (text === undefined || blockers.includes(undefined)) return false
    explain(builder, { code: 'lock', text })
    return true
  }

  const startingOf = (builder: string) => starting.getOrInsertComputed(builder, () => new Set())

  function noneFree(builder: string): false {
    leaveRow(builder)
    return explain(builder, waiting.has(builder) ? pool.whyNoneFree(builder) : null)
  }

  /** What cannot start now must not keep others from the locks it waits for: one of them may hold its slave. */
  function leaveRow(builder: string): void {
    aims.delete(builder)
    locks.giveUp(ticketOf(builder))
  }

  async function nothingReady(builder: string, now: number, beingStarted: number): Promise<boolean> {
    leaveRow(builder)
    const at = await nextNotBefore(store.db, builder, now)
    retryTimers.get(builder)?.[Symbol.dispose]()
    retryTimers.delete(builder)
    if (at !== null) {
      retryTimers.set(
        builder,
        clock.timer(at - now, () => wake(builder)),
      )
      return explain(builder, waitsForRetry(at))
    }
    // A request queued during the query has marked the builder dirty: the next pass finds it.
    if (beingStarted === 0 && !dirty.has(builder)) waiting.delete(builder)
    return explain(builder, (beingStarted > 0 && pool.beingStarted(builder)) || null)
  }

  function start(builder: string, requests: readonly WaitingRequest[], place: StartedByPlacement): void {
    const own = startingOf(builder)
    for (const { id } of requests) own.add(id)
    served.set(builder, ++serial)
    order.started(builder)
    const begun = deps.placement
      .start(builder, requests, place, () => {
        for (const { id } of requests) own.delete(id)
      })
      .then(() => void pauses.succeeded(builder))
      .catch((error: unknown) => {
        log.warn('build not started', { builder, slave: place.slave, why: messageOf(error) })
        pauses.failed(builder, error)
      })
      .finally(() => {
        for (const { id } of requests) own.delete(id)
        starts.delete(begun)
        order.forget(builder)
        ease([builder])
      })
    starts.add(begun)
  }

  /** Always false: nothing was started. */
  function explain(builder: string, why: WhyNot | null): false {
    whyNots.set(builder, why)
    return false
  }

  return {
    async start() {
      await whyNots.start()
      for (const builder of (await countWaiting(store.db)).keys()) waiting.add(builder)
      if (stopped) return
      open = true
      for (const builder of waiting) wake(builder)
    },
    wake(builder) {
      waiting.add(builder)
      wake(builder)
    },
    wakeSlave(slave) {
      ease(buildersOf(slave).filter((builder) => waiting.has(builder)))
    },
    wakeLocks() {
      ease(aims.keys())
    },
    whyNot: whyNots.get,
    async stop() {
      stopped = true
      open = false
      await Promise.all([inOrder, ...passing.values()])
      await Promise.all(starts)
      for (const timer of retryTimers.values()) timer[Symbol.dispose]()
      pauses.stop()
      await whyNots.stop()
    },
  }
}
