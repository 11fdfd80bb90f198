import { join } from 'node:path'
import type { Clock, Log, Random, Secrets } from 'boltbot/plugin-sdk'
import type { StreamRedactor } from './build-log.ts'
import type { ProgramActs } from './chat/command.ts'
import { COPIES } from './config/copies-folder.ts'
import type { KeptConfigs } from './config/kept.ts'
import type { Config } from './config/model.ts'
import type { Threads } from './host/worker/threads.ts'
import type { LogStore } from './store/log-store.ts'
import type { Store } from './store/store.ts'

/** What a master is made of that lies outside of it. */
export interface MasterDeps {
  readonly config: Config
  readonly basedir: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Opened by the caller, closed by `stop`. */
  readonly store: Store
  readonly logStore: LogStore
  readonly secrets: Secrets
  readonly redactor: () => StreamRedactor
  readonly redact: (text: string) => string
  /** From now on this text is hidden in all logs. */
  readonly hide: (value: string) => void
  /** Default: none are kept, and builds of a process before under another config go back to the queue. */
  readonly configs?: KeptConfigs
  /** For rigs, whose clock is moved by hand. */
  readonly threads?: Threads
  /** The program around the master; left out in tests. */
  readonly program?: ProgramActs
}

/** Where a base directory keeps what. */
export const layout = (basedir: string) => ({
  database: join(basedir, 'state.sqlite'),
  logs: join(basedir, 'logs'),
  configs: join(basedir, COPIES),
})
