import type { BuildId, BuildsetSubmitted, ForceOrder, GuardedAction, RequestId } from 'boltbot/plugin-sdk'
import type { Buildsets } from './buildsets.ts'
import type { Config } from './config/model.ts'
import { buildNotRunning, buildStopped, neverRunnable, requestNotWaiting, unknownBuilder } from './errors.ts'
import type { RunningBuild } from './placement.ts'
import type { SlavePool } from './slave-pool.ts'
import { readBuild } from './store/build-views.ts'
import { cancelRequest } from './store/requests.ts'
import type { Store } from './store/store.ts'

/** What people may ask for, whichever way they came: each act passes the one guard first. */
export interface Actions {
  force(order: ForceOrder, via: string): Promise<BuildsetSubmitted>
  stopBuild(
    order: { readonly build: BuildId; readonly who: string; readonly reason: string },
    via: string,
  ): Promise<void>
  cancel(
    order: { readonly request: RequestId; readonly who: string; readonly reason: string },
    via: string,
  ): Promise<void>
}

export interface ActionsDeps {
  readonly store: Store
  readonly config: () => Config
  readonly buildsets: Buildsets
  readonly pool: SlavePool
  readonly running: () => ReadonlyMap<BuildId, RunningBuild>
  readonly guard: (action: GuardedAction) => Promise<void>
}

export function createActions({ store, config, buildsets, pool, running, guard }: ActionsDeps): Actions {
  return {
    async force(order, via) {
      const { builder, who, reason } = order
      await guard({ action: 'force', who, via, builder, reason })
      const { builders, slaves } = config()
      const spec = builders.get(builder)
      if (spec === undefined) throw unknownBuilder(builder, builders.keys())
      if (!spec.slaves.some((slave) => slaves.has(slave))) throw neverRunnable(builder)
      const created = await buildsets.submit({
        builders: [builder],
        sourceStamp: { branch: order.branch ?? null, revision: order.revision ?? null },
        reason,
        properties: order.properties ?? {},
        priority: order.priority ?? 0,
        owner: who,
      })
      const warning = pool.anyAttached(builder) ? null : `no slave of "${builder}" is attached: the build waits for one`
      return { ...created, warning }
    },
    async stopBuild({ build, who, reason }, via) {
      const found = running().get(build)
      await guard({ action: 'stop', who, via, build, reason, ...(found && { builder: found.builder }) })
      const now = running().get(build)
      if (now === undefined) {
        const known = await readBuild(store.db, build)
        throw buildNotRunning(known === undefined ? `${build}` : `${known.builder}/${known.number}`)
      }
      now.abort(buildStopped(who, reason))
    },
    async cancel({ request, who, reason }, via) {
      await guard({ action: 'cancel', who, via, request, reason })
      if (!(await cancelRequest(store, request, who, reason))) throw requestNotWaiting(request)
    },
  }
}
