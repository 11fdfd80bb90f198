import { type Host, messageOf, type SchedulerRules } from 'boltbot/plugin-sdk'
import type { Config } from '../config/model.ts'

/** The rules of all schedulers of a config, without starting anything: their plugins are applied to a host that only listens. */
export function schedulerRules(config: Config): {
  readonly rules: readonly SchedulerRules[]
  readonly problems: readonly string[]
} {
  const rules: SchedulerRules[] = []
  const problems: string[] = []
  for (const { id, kind, definition, options } of config.plugins) {
    if (kind !== 'scheduler') continue
    try {
      definition.apply(listeningHost(id, rules), options as never) // the factory tied options and definition
    } catch (error) {
      problems.push(`Scheduler "${id}" could not be asked: ${messageOf(error)}`)
    }
  }
  return { rules, problems }
}

function listeningHost(id: string, rules: SchedulerRules[]): Host {
  const members: Partial<Record<string | symbol, unknown>> = {
    id,
    own: (thing: unknown) => thing,
    registerScheduler: (given: SchedulerRules) => void rules.push(given),
    signal: AbortSignal.abort(),
  }
  return new Proxy({}, { get: (_, key) => members[key] ?? NOTHING }) as Host // it is used in `apply` only
}

/** Stands for everything a scheduler might reach for in `apply`: it may be called and looked into, and does nothing. */
const NOTHING: unknown = new Proxy(function nothing() {}, {
  get: (_, key) => (key === 'then' || typeof key === 'symbol' ? undefined : NOTHING),
  apply: () => NOTHING,
})
