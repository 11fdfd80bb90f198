import { createActions } from './actions.ts'
import { createAdoption } from './adoption.ts'
import { createBuildsets } from './buildsets.ts'
import { createChanges } from './changes.ts'
import { createAcks } from './chat/acks.ts'
import { createChat } from './chat/chat.ts'
import { NONE_KEPT } from './config/kept.ts'
import type { Config } from './config/model.ts'
import { createDeadlocks } from './deadlocks.ts'
import { createDistributor } from './distributor.ts'
import { createEventStream } from './event-stream.ts'
import { forgetOthers, type Named } from './forget.ts'
import { createGuard } from './guard.ts'
import { createHttp } from './http/http.ts'
import { createInForce } from './in-force.ts'
import { createLeases } from './leases.ts'
import { createLife } from './life.ts'
import { createLocks } from './locks.ts'
import type { Master } from './master-api.ts'
import type { MasterDeps } from './master-deps.ts'
import { createOutbox } from './outbox/outbox.ts'
import { createPeopleDesk } from './people/desk.ts'
import { createPeople } from './people/people.ts'
import { createPlacement } from './placement.ts'
import { createPlanner } from './plan/plan.ts'
import { createPluginHost } from './plugin-host.ts'
import { createPollers } from './pollers.ts'
import { createPowers } from './powers.ts'
import { createProgress } from './progress.ts'
import { createReconfigure } from './reconfigure.ts'
import { createRunningBuilds } from './running-builds.ts'
import { createScheduling } from './scheduling.ts'
import { createSlaveActions } from './slave-actions.ts'
import { createSlavePool } from './slave-pool.ts'
import { usedConfigs } from './store/adoption.ts'
import { readChanges } from './store/changes.ts'
import { configRejected } from './store/config-events.ts'
import { storeHealth } from './store/health.ts'
import { journalHead, journalOf, readEvents } from './store/journal.ts'
import { masterOf, openOwner } from './store/meta.ts'
import { createRetention } from './store/retention.ts'
import { tellAll } from './tell-all.ts'
import { createTriggers } from './triggers.ts'
import { createViews, explainWaiting } from './views.ts'

/** Builds each part in the order of the walk and connects them; nothing else happens here. */
export async function createMaster(deps: MasterDeps): Promise<Master> {
  const { store, logStore, clock, random, log, secrets, configs = NONE_KEPT } = deps
  const changesOf = (ids: readonly number[]) => readChanges(store.db, ids)
  const acks = createAcks(store)
  const peopleOf = ({ people }: Config) => createPeople(people, { store, clock, log, changesOf, isQuiet: acks.covers })
  const inForce = createInForce(deps.config, peopleOf)
  const { config } = inForce
  const owner = await openOwner(store, random)

  const plugins = createPluginHost({
    ...{ clock, log, random, threads: deps.threads },
    journal: journalOf(store),
    powers: (id) => powers(id),
  })
  const { hooks } = plugins
  const guard = createGuard({ store, log, config, people: inForce.people, guard: hooks.guard })

  const changes = createChanges({ store, refine: (event) => hooks.refine('refineChange', event) })
  const buildsets = createBuildsets({ store, builders: inForce.askable })
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
    hide: deps.hide,
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
    goOn: () => life.goOn(),
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
  const outbox = createOutbox({ ...deps, owner, config })
  const desk = createPeopleDesk({
    store,
    people: inForce.people,
    config,
    notify: (notice) => outbox.notify('people', notice),
    guard,
  })
  const chat = createChat({
    store,
    query,
    actions,
    clock,
    log,
    config,
    page: http.page,
    program: deps.program,
    guard,
    people: desk,
    acks,
    interested: (build, by) => inForce.people().interested(build, by),
    notify: (notice) => outbox.notify('chat', notice),
  })
  const powers = createPowers({
    ...deps,
    changes,
    buildsets,
    actions,
    query,
    people: inForce.people,
    pool,
    scheduling,
    waitFor: triggers.waitFor,
    pollers,
    chat,
    outbox,
    http,
    serves: () => config().http !== null,
  })
  const leases = createLeases({ store, clock, log, owner, ms: () => config().buildLeaseMs, running: builds.all })
  const retention = createRetention({ store, logs: logStore, clock, log, spec: () => config().retention })

  tellAll(store, { hooks, plugins, distributor, followers: [scheduling, triggers, chat, stream] })

  const kept = {
    named: () => ({ plugins: config().plugins, schedulers: scheduling.list(), pollers: pollers.list() }),
    forgetOthers: (named: Named) => forgetOthers(store, named),
    retainConfigs: async () => configs.retain(new Set([config().hash, ...(await usedConfigs(store.db))])),
  }
  const parts = { store, log, inForce, scheduling, plugins, outbox, http, pool, distributor, ...kept }
  const reconfigure = createReconfigure(parts)
  const life = createLife({
    ...parts,
    logStore,
    adoption,
    builds,
    deadlocks,
    pollers,
    retention,
    leases,
    reconfigured: reconfigure.idle,
  })

  return {
    query,
    start: life.start,
    stop: ({ reason = 'it was asked to', builds: how = 'leave' } = {}) => life.stop(reason, how),
    async reconfigure(next, by) {
      await guard({ action: 'reconfig', ...by })
      return reconfigure.to(next)
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
    plan: createPlanner({
      ...deps,
      people: peopleOf,
      config,
      query,
      running: builds.all,
      schedulers: scheduling.list,
    }),
    outbox,
    people: desk,
    url: http.url,
    storeHealth: () => storeHealth(store),
    why: (request) => explainWaiting(store, query, request),
    readLog: (place, from) => query.readLog(place, from),
    plugins,
    events: stream.follow,
  }
}
