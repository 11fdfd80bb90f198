import type { Log } from 'boltbot/plugin-sdk'
import { diffConfigs } from './config/diff.ts'
import type { Config } from './config/model.ts'
import type { Distributor } from './distributor.ts'
import type { Named } from './forget.ts'
import type { Http } from './http/http.ts'
import type { InForce } from './in-force.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { PluginHost } from './plugin-host.ts'
import type { Scheduling } from './scheduling.ts'
import type { SlavePool } from './slave-pool.ts'
import { configApplied } from './store/config-events.ts'
import type { Store } from './store/store.ts'

interface Deps {
  readonly store: Store
  readonly log: Log
  readonly inForce: InForce
  readonly scheduling: Pick<Scheduling, 'mark'>
  readonly http: Pick<Http, 'move' | 'hold'>
  readonly plugins: Pick<PluginHost, 'reconfigure'>
  readonly outbox: Pick<Outbox, 'settle'>
  readonly pool: Pick<SlavePool, 'configure'>
  readonly distributor: Pick<Distributor, 'wake'>
  readonly named: () => Named
  /** Forgets what the store keeps of all others. */
  readonly forgetOthers: (named: Named) => Promise<void>
  readonly retainConfigs: () => Promise<void>
}

/** Changes configs one at a time: each begins with what the one before it left. */
export function createReconfigure(deps: Deps) {
  let last: Promise<unknown> = Promise.resolve()
  return {
    /** Gives what changed, a line each. @throws what a plugin could not do, and then the old config is in force. */
    to(next: Config): Promise<readonly string[]> {
      const done = last.then(() => reconfigure(deps, next))
      last = done.catch(() => {}) // told to whoever asked for it
      return done
    },
    /** Settles when none is under way. */
    idle: () => last,
  }
}

async function reconfigure(deps: Deps, next: Config): Promise<readonly string[]> {
  const { store, log, inForce, http, distributor } = deps
  const previous = inForce.config()
  const lines = [...diffConfigs(previous, next)]
  const named = deps.named()
  // What cannot be stored now changes nothing about the config that is in force.
  const stored = (work: Promise<void>) => work.catch((error: unknown) => log.error('not stored', { error }))
  const wakeAll = () => {
    // Those that are gone too: they leave the rows for locks.
    for (const builder of new Set([...previous.builders.keys(), ...next.builders.keys()])) distributor.wake(builder)
  }
  await deps.scheduling.mark()
  const moved = await http.move(next)
  using _ = http.hold()
  const change = inForce.begin(next)
  try {
    lines.push(...(await deps.plugins.reconfigure(next.plugins)))
  } catch (error) {
    await moved.undo()
    change.undo()
    // A place that a plugin of the refused config was given would hold the journal, and be its place when it comes for good.
    await stored(deps.forgetOthers(together(named, deps.named())))
    // Slaves may have come, and builders been passed over, under the refused one.
    await deps.pool.configure()
    wakeAll()
    throw error
  } finally {
    change.end()
  }
  await moved.keep()
  await stored(deps.forgetOthers(deps.named()))
  await stored(deps.outbox.settle())
  await deps.pool.configure()
  await stored(deps.retainConfigs())
  wakeAll()
  await stored(configApplied(store, next.hash, lines))
  return lines
}

/** With those of before: one that could not be put back comes back with the next config, and finds its place. */
const together = (a: Named, b: Named): Named => ({
  plugins: a.plugins,
  schedulers: [...a.schedulers, ...b.schedulers],
  pollers: [...a.pollers, ...b.pollers],
})
