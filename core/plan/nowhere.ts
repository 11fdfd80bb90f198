import type { Clock, Log, Query, SecretRef } from 'boltbot/plugin-sdk'
import { createClock } from '../clock.ts'
import type { Config, PluginSpec } from '../config/model.ts'
import { createHooks } from '../hooks.ts'
import type { JournalReader } from '../host/durable-reader.ts'
import { LIMITS } from '../host/limits.ts'
import { createMeter } from '../host/meter.ts'
import type { HostPowers } from '../host/plugin-powers.ts'
import { createPluginScope, type PluginScope } from '../host/plugin-scope.ts'
import { createTurns } from '../host/turns.ts'
import { urlOf } from '../http/url.ts'

/**
 * The real host of a plugin, with nothing behind it: what is registered is held to the same rules as in the running master and goes nowhere,
 * async members never settle, timers never fire, nothing is opened, stored or logged. For looking at what plugins do in `apply`.
 */
export interface Nowhere {
  /** Only `apply` of it is of use. Also of a plugin in a worker, which is not started: its definition is applied in this process. */
  scopeOf(spec: PluginSpec): Visit
}

export interface Visit {
  readonly scope: PluginScope
  /** True: the plugin was told something that it may be told otherwise when it starts. What it does then proves nothing. */
  guessed(): boolean
}

export interface NowhereDeps {
  readonly config: Config
  /** The text of a secret; `undefined`: it is not known here. May throw, as the host's does. */
  readonly secretOf: (secret: string | SecretRef) => string | undefined
}

export function createNowhere({ config, secretOf }: NowhereDeps): Nowhere {
  const { http } = config
  const clock: Clock = { now: createClock(SILENT).now, timer: () => nothing(), sleep: never }
  const shared = {
    clock,
    log: SILENT,
    random: { next: () => 0.5 },
    hooks: createHooks(),
    turns: createTurns(),
    meter: createMeter(),
    journal: JOURNAL,
    shared: { take: never },
    limits: LIMITS,
    stopping: new AbortController().signal,
  }

  return {
    scopeOf(spec) {
      let guesses = 0
      const guess = <T>(answer: T): T => {
        guesses++
        return answer
      }
      const resolve = (secret: string | SecretRef) => secretOf(secret) ?? guess('secret')
      const password = (name: string) => {
        const slave = config.slaves.get(name)
        if (slave?.latent) return guess(undefined) // it is made for each of its lives
        return slave === undefined || slave.password === null ? undefined : resolve(slave.password)
      }
      const powers: HostPowers = {
        ...ACTS,
        query: { ...QUERIES, project: () => ({ name: config.projectName, url: config.projectURL }) },
        secrets: { resolve },
        slaves: { known: (name) => config.slaves.has(name), password, attach: never, registerEngine: nothing },
        http: {
          register: http && nothing,
          // Nothing listens when a master starts, but it does at a reconfigure. Which pages there are then depends on other plugins.
          url: () => http && guess(urlOf(config, http.host, http.port)),
          page: () => http && guess(null),
        },
      }
      return { scope: createPluginScope(spec, { ...shared, powers: () => powers }), guessed: () => guesses > 0 }
    },
  }
}

const never = () => new Promise<never>(() => {})
const nothing = (): Disposable => ({ [Symbol.dispose]() {} })

const SILENT: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => SILENT }

const JOURNAL: JournalReader = { head: never, read: never, cursor: never, advance: never }

const QUERIES: Omit<Query, 'project'> = {
  builders: never,
  builder: never,
  branches: never,
  expectations: never,
  buildset: never,
  buildsets: never,
  isIdle: never,
  build: never,
  buildByNumber: never,
  builds: never,
  request: never,
  requests: never,
  slaves: never,
  audits: never,
  locks: never,
  schedulers: never,
  pollers: never,
  change: never,
  changes: never,
  why: never,
  logTail: never,
  log: never,
  readLog: never,
  logLine: never,
}

const ACTS: Omit<HostPowers, 'query' | 'secrets' | 'slaves' | 'http'> = {
  submitChange: never,
  submitBuildset: never,
  waitFor: never,
  force: never,
  stop: never,
  cancel: never,
  rebuild: never,
  pause: never,
  resume: never,
  reconfigure: never,
  notify: never,
  state: { get: never, set: never, delete: never },
  directory: never,
  people: { mailAddress: never, ircIdentities: never, interested: never },
  openChat: () => ({ hear: never, ...nothing() }),
  pollSoon: never,
  registerScheduler: nothing,
  registerPoller: nothing,
  registerChatCommand: nothing,
  registerCarrier: nothing,
}
