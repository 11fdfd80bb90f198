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
export { createMaster } from './master.ts'
export type { Master } from './master-api.ts'
export type { MasterDeps } from './master-deps.ts'
