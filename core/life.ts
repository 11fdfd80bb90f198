import type { Log } from 'boltbot/plugin-sdk'
import type { Adoption } from './adoption.ts'
import type { Deadlocks } from './deadlocks.ts'
import type { Distributor } from './distributor.ts'
import { masterStopping } from './errors.ts'
import type { Named } from './forget.ts'
import type { Http } from './http/http.ts'
import type { InForce } from './in-force.ts'
import type { createLeases } from './leases.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { PluginHost } from './plugin-host.ts'
import type { Pollers } from './pollers.ts'
import type { RunningBuilds, StopHow } from './running-builds.ts'
import type { Scheduling } from './scheduling.ts'
import type { SlavePool } from './slave-pool.ts'
import { configApplied } from './store/config-events.ts'
import type { LogStore } from './store/log-store.ts'
import type { Retention } from './store/retention.ts'
import type { Store } from './store/store.ts'

interface Deps {
  readonly store: Store
  readonly logStore: Pick<LogStore, 'close'>
  readonly log: Log
  readonly inForce: Pick<InForce, 'config'>
  readonly scheduling: Pick<Scheduling, 'mark' | 'start' | 'stop'>
  readonly adoption: Adoption
  readonly plugins: Pick<PluginHost, 'start' | 'stop'>
  readonly outbox: Pick<Outbox, 'settle'>
  readonly http: Pick<Http, 'move' | 'close' | 'stop'>
  readonly pool: Pick<SlavePool, 'start' | 'abandonStarts' | 'stop'>
  readonly builds: Pick<RunningBuilds, 'stop'>
  readonly distributor: Pick<Distributor, 'start' | 'stop'>
  readonly deadlocks: Pick<Deadlocks, 'stop'>
  readonly pollers: Pick<Pollers, 'start'>
  readonly retention: Retention
  readonly leases: ReturnType<typeof createLeases>
  readonly named: () => Named
  readonly forgetOthers: (named: Named) => Promise<void>
  readonly retainConfigs: () => Promise<void>
  /** Settles when no config is being put in force. */
  readonly reconfigured: () => Promise<unknown>
}

/** The order in which the parts of a master start, and in which they stop. */
export function createLife(deps: Deps) {
  const { log, inForce, scheduling, adoption, plugins, outbox, http, pool, distributor, retention, leases } = deps
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  /** Each step begins in the moment that nobody has asked for a stop: what is begun later would never be stopped. */
  async function begin(): Promise<void> {
    const steps = [
      scheduling.mark,
      scheduling.start,
      // Before slaves come: what they bring with them may be wanted.
      adoption.prepare,
      () => plugins.start(inForce.config().plugins),
      outbox.settle,
      async () => (await http.move(inForce.config())).keep(),
      // Before what ran is given up: a slave that does not come back is reported with it.
      pool.start,
      // Only now, so that status targets hear of it; nothing is given to a slave before.
      adoption.resume,
      () => deps.forgetOthers(deps.named()),
      distributor.start,
    ]
    for (const step of steps) {
      goOn()
      await step()
    }
    goOn()
    deps.pollers.start()
    retention.start()
    leases.start()
    await deps.retainConfigs()
    await configApplied(deps.store, inForce.config().hash, [])
    goOn()
  }

  function goOn(): void {
    if (stopping !== undefined) throw masterStopping('it was asked to while it started')
  }

  async function end(reason: string, how: StopHow): Promise<void> {
    log.info('master stops', { reason })
    pool.abandonStarts(masterStopping(reason))
    http.close()
    deps.deadlocks.stop()
    await distributor.stop()
    await deps.builds.stop(masterStopping(reason), how)
    await scheduling.stop()
    await plugins.stop()
    await http.stop()
    await pool.stop(reason)
    // What they had in hand when they were told.
    await Promise.allSettled([starting, deps.reconfigured()])
    leases.stop()
    await retention.stop()
    await deps.logStore.close()
    await deps.store.close()
    log.info('master stopped')
  }

  const stop = (reason: string, how: StopHow): Promise<void> => {
    stopping ??= end(reason, how)
    return stopping
  }

  return {
    /** @throws what could not start; all that was started is stopped then. */
    async start(): Promise<void> {
      try {
        starting = begin()
        await starting
        log.info('master runs', { project: inForce.config().projectName })
      } catch (error) {
        await stop('it could not start', 'leave')
        throw error
      }
    },
    /** Idempotent, also after a start that failed. */
    stop,
    /** @throws CiError when the master was asked to stop while it starts. */
    goOn,
  }
}
