import type {
  BuilderView,
  BuildId,
  BuildView,
  PollerView,
  Query,
  RequestId,
  RequestView,
  SchedulerView,
  WhyNot,
} from 'boltbot/plugin-sdk'
import type { Config } from './config/model.ts'
import { waitsForRetry } from './distributor/why-nots.ts'
import { type Locks, locksInUse } from './locks.ts'
import { createLogReader } from './log-reader.ts'
import type { Progress } from './progress.ts'
import type { RunningBuild } from './running-builds.ts'
import type { SlavePool } from './slave-pool.ts'
import { readAudits } from './store/audits.ts'
import { readBranches, readBuild, readBuildByNumber, readBuilders, readBuilds } from './store/build-views.ts'
import { readBuildset, recentBuildsets } from './store/buildsets.ts'
import { readChanges, recentChanges } from './store/changes.ts'
import type { LogStore } from './store/log-store.ts'
import { countBefore, countWaiting, openRequests, readRequest } from './store/requests.ts'
import { readSlaves } from './store/slaves.ts'
import type { Store } from './store/store.ts'

/** Read-only views for plugins, the command line and pages: what is stored, with what is live. */
export interface ViewsDeps {
  readonly store: Store
  readonly logStore: LogStore
  readonly config: () => Config
  readonly pool: SlavePool
  readonly running: () => ReadonlyMap<BuildId, RunningBuild>
  readonly whyNot: (builder: string) => WhyNot | undefined
  readonly locks: Pick<Locks, 'holders' | 'waiting'>
  readonly progress: Progress
  readonly schedulers: () => readonly SchedulerView[]
  readonly pollers: () => readonly PollerView[]
}

export function createViews(deps: ViewsDeps): Query {
  const { store, config, pool } = deps
  const { db } = store
  const logs = createLogReader(store, deps.logStore)

  async function builders(): Promise<BuilderView[]> {
    const [waiting, stored] = [await countWaiting(db), await readBuilders(db)]
    return [...config().builders.values()].map((spec) => {
      const building = [...deps.running()].filter(([, build]) => build.builder === spec.name).map(([id]) => id)
      const last = stored.get(spec.name)
      return {
        name: spec.name,
        category: spec.category,
        slaves: spec.slaves,
        state: building.length > 0 ? 'building' : pool.anyAttached(spec.name) ? 'idle' : 'offline',
        waiting: waiting.get(spec.name) ?? 0,
        building,
        lastResult: last?.lastResult ?? null,
        lastBuild: last?.lastNumber ?? null,
      }
    })
  }

  /** When it will have ended, if it runs. */
  function withEta<T extends BuildView | undefined>(build: T): T {
    const eta = build && deps.running().get(build.id)?.eta()
    return eta === undefined ? build : { ...build, eta }
  }

  async function why(id: RequestId): Promise<WhyNot | undefined> {
    const request = await readRequest(db, id)
    if (request?.state !== 'waiting') return undefined
    if (!config().builders.has(request.builder)) {
      return { code: 'no-builder', text: `builder ${request.builder} is not in the config` }
    }
    if (request.notBefore > store.now()) return waitsForRetry(request.notBefore)
    const before = await countBefore(db, request, store.now())
    const head = deps.whyNot(request.builder) ?? { code: 'starting', text: 'it is about to start' }
    if (before === 0) return head
    const others = before === 1 ? '1 request is' : `${before} requests are`
    return { code: 'behind', text: `${others} before it; the first: ${head.text}` }
  }

  return {
    project: () => ({ name: config().projectName, url: config().projectURL }),
    builders,
    builder: async (name) => (await builders()).find((builder) => builder.name === name),
    async isIdle(name) {
      const builder = (await builders()).find((other) => other.name === name)
      return builder?.state === 'idle' && builder.waiting === 0 && pool.free(name).length > 0
    },
    branches: (builder, filter = {}) => readBranches(db, builder, filter),
    expectations: (builder) => deps.progress.expected(builder),
    buildset: (id) => readBuildset(db, id),
    buildsets: (filter = {}) => recentBuildsets(db, filter),
    build: async (id) => withEta(await readBuild(db, id)),
    buildByNumber: async (builder, number) => withEta(await readBuildByNumber(db, builder, number)),
    builds: async (filter = {}) => (await readBuilds(db, filter)).map((build) => withEta(build)),
    requests: (filter = {}): Promise<RequestView[]> => openRequests(db, filter.builder, filter.limit ?? 100),
    async slaves() {
      const known = await readSlaves(db)
      return pool.view().map((slave) => ({
        ...slave,
        admin: slave.admin ?? known.get(slave.name)?.admin ?? null,
        host: slave.host ?? known.get(slave.name)?.host ?? null,
        version: slave.version ?? known.get(slave.name)?.version ?? null,
        lastHeard: slave.lastHeard ?? known.get(slave.name)?.lastHeard ?? null,
        missing: slave.missing || (slave.latent && (known.get(slave.name)?.missingAt ?? null) !== null),
      }))
    },
    audits: (filter) => readAudits(store, filter),
    locks: async () => locksInUse(deps.locks),
    schedulers: async () => deps.schedulers(),
    pollers: async () => deps.pollers(),
    change: async (id) => (await readChanges(db, [id]))[0],
    changes: (filter = {}) => recentChanges(db, filter.limit ?? 20, filter.before),
    why,
    request: (id) => readRequest(db, id),
    logTail: (place, maxLines = 50) => logs.tail(place, maxLines),
    log: (place) => logs.view(place),
    readLog: (place, from, to) => logs.read(place, from, to),
    logLine: (place, line) => logs.lineOffset(place, line),
  }
}

/** One request, or all that wait, in queue order, each with its reason. */
export async function explainWaiting(
  store: Store,
  query: Query,
  request?: RequestId,
): Promise<readonly { readonly request: RequestView; readonly why: WhyNot | null }[]> {
  const one = request === undefined ? undefined : await readRequest(store.db, request)
  const all = one === undefined ? await query.requests({ limit: 1000 }) : [one]
  const wanted = all.filter((other) => (request === undefined ? other.state === 'waiting' : other.id === request))
  return Promise.all(wanted.map(async (found) => ({ request: found, why: (await query.why(found.id)) ?? null })))
}
