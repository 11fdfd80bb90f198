import { configNotKept } from './errors.ts'
import type { Config } from './model.ts'

/** Copies of configs, kept as long as a build needs the one it began with. */
export interface KeptConfigs {
  /** The config of this content hash. @throws CiError `BOLT_CONFIG_NOT_KEPT` when there is no copy that can be used. */
  load(hash: string): Promise<Config>
  /** All others are needed no longer. */
  retain(hashes: ReadonlySet<string>): Promise<void>
}

/** Keeps nothing. */
export const NONE_KEPT: KeptConfigs = Object.freeze({
  load: (hash: string) => Promise.reject(configNotKept(hash, 'no copies are kept')),
  retain: async () => {},
})
