import { createActions } from './actions.ts'
import { createAdoption } from './adoption.ts'
import { createBuildsets } from './buildsets.ts'
import { createChanges } from './changes.ts'
import { createChat } from './chat/chat.ts'
import { diffConfigs } from './config/diff.ts'
import { NONE_KEPT } from './config/kept.ts'
import type { Config } from './config/model.ts'
import { createDeadlocks } from './deadlocks.ts'
import { createDistributor } from './distributor.ts'
import { masterStopping } from './errors.ts'
import { createEventStream } from './event-stream.ts'
import { forgetOthers } from './forget.ts'
import { createGuard } from './guard.ts'
import { createHttp } from './http/http.ts'
import { createLeases } from './leases.ts'
import { createLocks } from './locks.ts'
import type { Master } from './master-api.ts'
import type { MasterDeps } from './master-deps.ts'
import { createOutbox } from './outbox/outbox.ts'
import { createPlacement } from './placement.ts'
import { createPlanner } from './plan/plan.ts'
import { createPluginHost } from './plugin-host.ts'
import { createPollers } from './pollers.ts'
import { createPowers } from './powers.ts'
import { createProgress } from './progress.ts'
import { createRunningBuilds, type StopHow } from './running-builds.ts'
import { createScheduling } from './scheduling.ts'
import { createSlaveActions } from './slave-actions.ts'
import { createSlavePool } from './slave-pool.ts'
import { usedConfigs } from './store/adoption.ts'
import { readChanges } from './store/changes.ts'
import { configApplied, configRejected } from './store/config-events.ts'
import { journalHead, journalOf, readEvents } from './store/journal.ts'
import { masterOf, openOwner } from './store/meta.ts'
import { createRetention } from './store/retention.ts'
import { tellAll } from './tell-all.ts'
import { createTriggers } from './triggers.ts'
import { createViews, explainWaiting } from './views.ts'

/** Builds each part in the order of the walk and connects them; nothing else happens here. */
export async function createMaster(deps: MasterDeps): Promise<Master> {
  const { store, logStore, clock, random, log, secrets, configs = NONE_KEPT } = deps
  let current = deps.config
  let people = deps.people(current)
  /** During a reconfigure schedulers of both configs decide: each of them knows its own builders. */
  let askable = current.builders
  const config = () => current
  const owner = await openOwner(store, random)
  const changesOf = (ids: readonly number[]) => readChanges(store.db, ids)

  const plugins = createPluginHost({ clock, log, random, journal: journalOf(store), powers: (id) => powers(id) })
  const { hooks } = plugins
  const guard = createGuard({ store, log, config, guard: hooks.guard })

  const changes = createChanges({ store, refine: (event) => hooks.refine('refineChange', event) })
  const buildsets = createBuildsets({ store, builders: () => askable })
  const scheduling = createScheduling({
    ...deps,
    buildsets,
    changesOf,
    head: () => journalHead(store),
    eventsAfter: (after, names, limit) => readEvents(store, { after, names, limit }),
  })
  const triggers = createTriggers({ store, scheduling, waiting: () => deadlocks.look() })
  const stream = createEventStream(store)
  const pool = createSlavePool({
    ...deps,
    config,
    password: (slave) => (slave.password === null ? undefined : secrets.resolve(slave.password)),
    master: masterOf(owner),
    changed: (slave) => distributor.wakeSlave(slave),
  })
  const locks = createLocks(() => distributor.wakeLocks())
  const progress = createProgress(store)
  const builds = createRunningBuilds({
    store,
    logStore,
    clock,
    log,
    locks,
    pool,
    redactor: deps.redactor,
    secretOf: (ref) => secrets.resolve(ref),
    triggers,
    stepWaits: () => deadlocks.look(),
    logAppended: (build) => () => {
      if (!hooks.isUsed('logAppended')) return undefined
      const { id, builder, number } = build
      return (event) => hooks.tell('logAppended', { at: clock.now(), build: id, builder, number, ...event })
    },
  })
  const placement = createPlacement({ store, owner, config, pool, progress, builds, changesOf })
  const adoption = createAdoption({
    store,
    owner,
    log,
    config,
    configs,
    pool,
    locks,
    progress,
    builds,
    changesOf,
    goOn,
  })
  const { choose, isUsed } = hooks
  const distributor = createDistributor({ ...deps, config, pool, locks, placement, choose, isUsed })
  const deadlocks = createDeadlocks({ store, clock, log, config, pool, locks, triggers, running: builds.all })
  const query = createViews({
    locks,
    store,
    logStore,
    config,
    pool,
    running: builds.all,
    whyNot: distributor.whyNot,
    progress,
    schedulers: () => scheduling.list(),
    pollers: () => pollers.list(),
  })
  const actions = {
    ...createActions({ store, config, buildsets, scheduling, pool, running: builds.all, guard }),
    ...createSlaveActions({ clock, config, pool, guard }),
  }
  const pollers = createPollers({ store, clock, random, log, guard })
  const http = createHttp({ clock, log })
  const mayShutDown: Master['mayShutDown'] = (by, reason) => guard({ action: 'shutdown', ...by, reason })
  const chat = createChat({ store, query, actions, clock, log, config, program: deps.program, mayShutDown })
  const outbox = createOutbox({ ...deps, owner, config })
  const powers = createPowers({
    ...deps,
    changes,
    buildsets,
    actions,
    query,
    people: () => people,
    pool,
    scheduling,
    waitFor: triggers.waitFor,
    pollers,
    chat,
    outbox,
    http,
    serves: () => current.http !== null,
  })
  const leases = createLeases({ store, clock, log, owner, ms: () => current.buildLeaseMs, running: builds.all })
  const retention = createRetention({ store, logs: logStore, clock, log, spec: () => current.retention })
  let reconfiguring: Promise<unknown> = Promise.resolve()
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  tellAll(store, { hooks, plugins, distributor, followers: [scheduling, triggers, chat, stream] })

  const retainConfigs = async () => configs.retain(new Set([current.hash, ...(await usedConfigs(store.db))]))
  const forgetGone = () => forgetOthers(store, current.plugins, scheduling.list(), pollers.list())

  async function stop(reason: string, how: StopHow): Promise<void> {
    log.info('master stops', { reason })
    pool.abandonStarts(masterStopping(reason))
    http.close()
    deadlocks.stop()
    await distributor.stop()
    await builds.stop(masterStopping(reason), how)
    await scheduling.stop()
    await plugins.stop()
    await http.stop()
    await pool.stop(reason)
    // What they had in hand when they were told.
    await Promise.allSettled([starting, reconfiguring])
    leases.stop()
    await retention.stop()
    await logStore.close()
    await store.close()
    log.info('master stopped')
  }

  /** Each step begins in the moment that nobody has asked for a stop: what is begun later would never be stopped. */
  async function begin(): Promise<void> {
    const steps = [
      scheduling.mark,
      scheduling.start,
      // Before slaves come: what they bring with them may be wanted.
      adoption.prepare,
      () => plugins.start(current.plugins),
      outbox.settle,
      async () => (await http.move(current)).keep(),
      // Before what ran is given up: a slave that does not come back is reported with it.
      pool.start,
      // Only now, so that status targets hear of it; nothing is given to a slave before.
      adoption.resume,
      forgetGone,
      distributor.start,
    ]
    for (const step of steps) {
      goOn()
      await step()
    }
    goOn()
    pollers.start()
    retention.start()
    leases.start()
    await retainConfigs()
    await configApplied(store, current.hash, [])
    goOn()
  }

  function goOn(): void {
    if (stopping !== undefined) throw masterStopping('it was asked to while it started')
  }

  async function reconfigure(next: Config): Promise<readonly string[]> {
    const previous = current
    const lines = [...diffConfigs(previous, next)]
    await scheduling.mark()
    const moved = await http.move(next)
    using _ = http.hold()
    current = next
    askable = new Map([...previous.builders, ...next.builders])
    people = deps.people(next)
    try {
      lines.push(...(await plugins.reconfigure(next.plugins)))
    } catch (error) {
      await moved.undo()
      current = previous
      people = deps.people(previous)
      throw error
    } finally {
      askable = current.builders
    }
    await moved.keep()
    // It is in force: what cannot be stored now does not take it back.
    const stored = (work: Promise<void>) => work.catch((error: unknown) => log.error('not stored', { error }))
    await stored(forgetGone())
    await stored(outbox.settle())
    await pool.configure()
    await stored(retainConfigs())
    // Those that are gone too: they leave the rows for locks.
    for (const builder of new Set([...previous.builders.keys(), ...next.builders.keys()])) distributor.wake(builder)
    await stored(configApplied(store, next.hash, lines))
    return lines
  }

  const master: Master = {
    query,
    async start() {
      try {
        starting = begin()
        await starting
        log.info('master runs', { project: current.projectName })
      } catch (error) {
        await master.stop({ reason: 'it could not start' })
        throw error
      }
    },
    stop({ reason = 'it was asked to', builds: how = 'leave' } = {}) {
      stopping ??= stop(reason, how)
      return stopping
    },
    async reconfigure(next, by) {
      await guard({ action: 'reconfig', ...by })
      // One at a time: each begins with what the one before it left.
      const done = reconfiguring.then(() => reconfigure(next))
      reconfiguring = done.catch(() => {}) // told to whoever asked for it
      return done
    },
    configRejected: (problems) => configRejected(store, problems),
    submitChange: (input, source) => changes.submit(input, source),
    ...actions,
    waitFor: triggers.waitFor,
    mayShutDown,
    openChat: chat.open,
    async runNow(scheduler, { who, via }) {
      await guard({ action: 'force', who, via, reason: `scheduler ${scheduler} now` })
      return { buildsets: await scheduling.runNow(scheduler) }
    },
    poll: pollers.poll,
    schedulers: scheduling.list,
    plan: createPlanner({ store, config, running: builds.all, schedulers: scheduling.list }),
    outbox,
    why: (request) => explainWaiting(store, query, request),
    readLog: (place, from) => query.readLog(place, from),
    plugins,
    events: stream.follow,
  }
  return master
}
