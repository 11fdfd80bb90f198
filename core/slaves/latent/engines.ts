import type { LatentEngine } from 'boltbot/plugin-sdk'

/** The engines that plugins offer, by plugin id. */
export interface Engines {
  /** `gone` hears of instances that ended by themselves. */
  register(plugin: string, engine: LatentEngine): Disposable
  get(plugin: string): LatentEngine | undefined
  all(): Iterable<readonly [plugin: string, engine: LatentEngine]>
}

export function createEngines(deps: {
  readonly gone: (slave: string, epoch: number, master: string, reason: string) => void
  readonly came: (plugin: string) => void
}): Engines {
  const engines = new Map<string, LatentEngine>()
  return {
    register(plugin, engine) {
      engines.set(plugin, engine)
      const observing = engine.observe((key, reason) => deps.gone(key.slave, key.epoch, key.master, reason))
      deps.came(plugin)
      return {
        [Symbol.dispose]() {
          observing[Symbol.dispose]()
          if (engines.get(plugin) === engine) engines.delete(plugin)
        },
      }
    },
    get: (plugin) => engines.get(plugin),
    all: () => engines,
  }
}
