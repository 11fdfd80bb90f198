import type { Clock, LatentEngine, Log } from 'boltbot/plugin-sdk'
import type { Config } from '../../config/model.ts'
import { readInstances } from '../../store/instances.ts'
import type { Store } from '../../store/store.ts'
import type { Reason } from '../reason.ts'
import { createEngines } from './engines.ts'
import { createLatentSlave, type LatentSlave } from './latent-slave.ts'

/** The latent slaves of the config, each with its instance, and the engines that make these. */
export interface Latents {
  /** The slave, if it is latent. */
  get(slave: string): LatentSlave | undefined
  /** Why no instance can be had now. */
  blocked(slave: string): Reason | undefined
  /** Takes up what an earlier process left, and begins to end what nobody wants. */
  start(): Promise<void>
  /** The config changed: instances of slaves that are latent no longer are ended. */
  configure(): void
  registerEngine(plugin: string, engine: LatentEngine): Disposable
  stop(reason: Error): void
}

export interface LatentsDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly config: () => Config
  /** The id of this master. */
  readonly master: string
  readonly close: (slave: string, reason: string, hard: boolean) => void
  readonly changed: (slave: string) => void
}

const REAP_MS = 5 * 60_000

export function createLatents(deps: LatentsDeps): Latents {
  const { store, clock, log, config, master } = deps
  const slaves = new Map<string, LatentSlave>()
  let reaping: Disposable | undefined
  let stopped = false
  const engines = createEngines({
    gone: (slave, epoch, of, reason) => {
      const latent = slaves.get(slave)
      if (of === master && latent?.epoch === epoch) latent.gone(reason)
    },
    came: (plugin) => {
      for (const { name, latent } of config().slaves.values()) if (latent?.engine === plugin) deps.changed(name)
    },
  })

  function specOf(name: string) {
    const spec = config().slaves.get(name)
    if (!spec?.latent) return undefined
    return { ...spec.latent, startMs: spec.missingTimeoutMs, notify: spec.notifyOnMissing }
  }

  function make(name: string): LatentSlave {
    const made = createLatentSlave({
      name,
      master,
      store,
      clock,
      log,
      spec: () => specOf(name),
      engine: engines.get,
      leaseMs: () => config().buildLeaseMs,
      close: (reason, hard) => deps.close(name, reason, hard),
      changed: () => deps.changed(name),
    })
    slaves.set(name, made)
    return made
  }

  function get(name: string): LatentSlave | undefined {
    if (specOf(name) === undefined) return undefined
    return slaves.get(name) ?? make(name)
  }

  /** Ends instances of this master that no slave counts as its own: of orders that came through late, of former configs. */
  async function reap(): Promise<void> {
    for (const [plugin, engine] of engines.all()) {
      for (const key of await engine.list()) {
        if (key.master !== master || slaves.get(key.slave)?.epoch === key.epoch) continue
        log.warn('instance that nobody wants is ended', { plugin, ...key })
        await engine.cancel(key)
      }
    }
  }

  function reapLater(): void {
    reaping = clock.timer(REAP_MS, () => {
      reapLater()
      reap().catch((error: unknown) => log.warn('instances not looked through', { error }))
    })
  }

  return {
    get,
    blocked(name) {
      const spec = specOf(name)
      const slave = get(name)
      if (spec === undefined || slave === undefined) return undefined
      if (slave.state === 'attached' || slave.state === 'substantiating') return undefined
      const { until, why } = slave.quarantine
      if (until > clock.now()) {
        const reason = why === undefined ? '' : ` (${why})`
        const text = `slave ${name} did not start${reason}, next try at ${new Date(until).toISOString()}`
        return { code: 'slave-quarantined', text }
      }
      if (slave.state === 'insubstantiating')
        return { code: 'slave-ending', text: `the last instance of slave ${name} is being ended` }
      if (engines.get(spec.engine) !== undefined) return undefined
      return { code: 'no-engine', text: `no plugin ${spec.engine} runs that could start slave ${name}` }
    },
    async start() {
      // Also those of former configs: they are ended.
      const records = await readInstances(store.db)
      if (stopped) return
      await Promise.all(records.map((record) => make(record.slave).recover(record)))
      await reap().catch((error: unknown) => log.warn('instances not looked through', { error }))
      if (!stopped) reapLater()
    },
    configure() {
      for (const [name, slave] of slaves) if (specOf(name) === undefined) slave.end('it is no longer in the config')
    },
    registerEngine: engines.register,
    stop(reason) {
      stopped = true
      reaping?.[Symbol.dispose]()
      for (const slave of slaves.values()) slave.stop(reason)
    },
  }
}
