import type {
  BuildId,
  BuildsetSubmitted,
  BuildView,
  CancelOrder,
  ForceOrder,
  FormOrder,
  GuardedAction,
  Json,
  PersonsOrder,
  RebuildOrder,
  StopOrder,
} from 'boltbot/plugin-sdk'
import type { Buildsets } from './buildsets.ts'
import type { Config } from './config/model.ts'
import {
  buildNotRunning,
  buildStopped,
  buildUnknown,
  neverRunnable,
  requestNotWaiting,
  triggeredNothing,
  unknownBuilder,
} from './errors.ts'
import type { RunningBuild } from './running-builds.ts'
import type { Scheduling } from './scheduling.ts'
import type { SlavePool } from './slave-pool.ts'
import { noteStop } from './store/adoption.ts'
import { readBuild } from './store/build-views.ts'
import { cancelRequest, cancelRequests } from './store/requests.ts'
import type { Store } from './store/store.ts'

/** What people may ask for, whichever way they came: each act passes the one guard first. */
export interface Actions {
  force(order: ForceOrder | FormOrder, via: string): Promise<BuildsetSubmitted>
  /** The same source once more, at the revision that was checked out, with the properties that were asked for. */
  rebuild(order: RebuildOrder, via: string): Promise<BuildsetSubmitted>
  stopBuild(order: StopOrder, via: string): Promise<void>
  /** Resolves with how many were cancelled: one, or all that waited for a builder. */
  cancel(order: CancelOrder, via: string): Promise<number>
}

export interface ActionsDeps {
  readonly store: Store
  readonly config: () => Config
  readonly buildsets: Buildsets
  readonly scheduling: Pick<Scheduling, 'forceable' | 'force'>
  readonly pool: SlavePool
  readonly running: () => ReadonlyMap<BuildId, RunningBuild>
  readonly guard: (action: GuardedAction) => Promise<void>
}

/** Others get a turn between two batches. */
const CANCEL_BATCH = 500

export function createActions({ store, config, buildsets, scheduling, pool, running, guard }: ActionsDeps): Actions {
  /** @throws CiError when nobody could ever build it. */
  function checkRunnable(builder: string): void {
    const { builders, slaves } = config()
    const spec = builders.get(builder)
    if (spec === undefined) throw unknownBuilder(builder, builders.keys())
    if (!spec.slaves.some((slave) => slaves.has(slave))) throw neverRunnable(builder)
  }

  const warningOf = (builder: string) =>
    pool.anyAttached(builder) ? null : `no slave of "${builder}" is attached: the build waits for one`

  /** Each of the builders could be refused: then none is built. */
  async function fillIn(order: FormOrder, via: string): Promise<BuildsetSubmitted> {
    const { scheduler, values } = order
    const builders = order.builders ?? scheduling.forceable(scheduler)
    const reason = typeof values?.reason === 'string' && values.reason !== '' ? values.reason : `scheduler ${scheduler}`
    for (const builder of builders) await guard({ action: 'force', ...asker({ ...order, reason }, via), builder })
    const created = (await scheduling.force(order))[0]
    if (created === undefined) throw triggeredNothing(scheduler)
    const away = builders.filter((builder) => !pool.anyAttached(builder))
    return { ...created, warning: away.length === 0 ? null : warningOf(away[0]!) }
  }

  return {
    async force(order, via) {
      if ('scheduler' in order) return fillIn(order, via)
      const { builder, who, reason } = order
      await guard({ action: 'force', ...asker(order, via), builder })
      checkRunnable(builder)
      const created = await buildsets.submit({
        builders: [builder],
        sourceStamp: {
          branch: order.branch ?? null,
          revision: order.revision ?? null,
          ...(order.codebase !== undefined && { codebase: order.codebase }),
        },
        reason,
        properties: order.properties ?? {},
        priority: order.priority ?? 0,
        owner: who,
      })
      return { ...created, warning: warningOf(builder) }
    },
    async rebuild(order, via) {
      const { build, who, reason } = order
      const old = await readBuild(store.db, build)
      const { builder } = old ?? {}
      await guard({ action: 'rebuild', ...asker(order, via), build, ...(builder !== undefined && { builder }) })
      if (old === undefined) throw buildUnknown(build)
      checkRunnable(old.builder)
      const created = await buildsets.submit({
        builders: [old.builder],
        sourceStamp: { ...old.sourceStamp, revision: gotRevision(old) },
        reason: `${old.builder} #${old.number} again: ${reason}`,
        properties: askedProperties(old),
        owner: who,
        merge: false,
      })
      return { ...created, warning: warningOf(old.builder) }
    },
    async stopBuild(order, via) {
      const { build, who, reason } = order
      const found = running().get(build)
      await guard({ action: 'stop', ...asker(order, via), build, ...(found && { builder: found.builder }) })
      const now = running().get(build)
      if (now === undefined) {
        const known = await readBuild(store.db, build)
        throw buildNotRunning(known === undefined ? `${build}` : `${known.builder}/${known.number}`)
      }
      const stopped = noteStop(store, now.claim, who, reason)
      now.abort(buildStopped(who, reason))
      await stopped.catch(() => {}) // it is stopped all the same, unless the master is killed before it has ended
    },
    async cancel(order, via) {
      const { request, builder, who, reason } = order
      if (request !== undefined) {
        await guard({ action: 'cancel', ...asker(order, via), request })
        if (!(await cancelRequest(store, request, who, reason))) throw requestNotWaiting(request)
        return 1
      }
      await guard({ action: 'cancel', ...asker(order, via), builder })
      let cancelled = 0
      for (;;) {
        const batch = await cancelRequests(store, builder, CANCEL_BATCH, who, reason)
        cancelled += batch
        if (batch < CANCEL_BATCH) break
      }
      // A builder that is gone from the config may have requests left.
      if (cancelled === 0 && !config().builders.has(builder)) throw unknownBuilder(builder, config().builders.keys())
      return cancelled
    },
  }
}

/** Who asks, for the guard. */
export const asker = ({ who, reason, proofs }: PersonsOrder, via: string) => ({
  who,
  via,
  reason,
  ...(proofs && { proofs }),
})

/** What was checked out, when the source step said so. */
function gotRevision({ properties, sourceStamp }: BuildView): string | null {
  const got = properties.got_revision?.value
  return typeof got === 'string' && got !== '' ? got : sourceStamp.revision
}

/** What the person or scheduler gave; everything else the new build gets as it is now. */
function askedProperties({ properties }: BuildView): Record<string, Json> {
  const asked = Object.entries(properties).filter(([, { source }]) => source === 'Force' || /^Scheduler /.test(source))
  return Object.fromEntries(asked.map(([name, { value }]) => [name, value]))
}
