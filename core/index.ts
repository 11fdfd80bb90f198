import type { Master } from './master-api.ts'
import type { MasterDeps } from './master-deps.ts'

/** The public door: what config files use, and what programs need that run a master themselves. */
export {
  type Builder,
  type BuilderOptions,
  type BuildFactory,
  builder,
  buildFactory,
  CiError,
  type Duration,
  defineMaster,
  definePlugin,
  defineStep,
  interpolate,
  type Json,
  type Lock,
  type LockAccess,
  type MasterConfig,
  type MasterOptions,
  masterLock,
  type Retention,
  type SecretRef,
  type Slave,
  type SlaveOptions,
  secret,
  slave,
  slaveLock,
  withProperties,
} from 'boltbot/plugin-sdk'
export { checkInFreshProcess, type Evaluation } from './config/evaluate.ts'
export { loadConfig } from './config/load.ts'
export type { Config } from './config/model.ts'
export { formatProblems, type Problem } from './config/problem.ts'
export type { Master, MasterDeps }

/** A master that is not started yet. Its parts are loaded here: a process that only reads a config does without them. */
export async function createMaster(deps: MasterDeps): Promise<Master> {
  return (await import('./master.ts')).createMaster(deps)
}
