import type { Log } from './clock.ts'
import type { Host } from './host.ts'

/** Names of what works on but is going to leave, each with what to use instead: `{ resume: 'host.wake' }`. */
export interface Deprecations {
  /** Members of the host. */
  readonly host: Readonly<Record<string, string>>
  /** Members of plugin definitions. */
  readonly definition: Readonly<Record<string, string>>
}

/** At present nothing is. A line here comes with `@deprecated` at the member. */
export const DEPRECATIONS: Deprecations = Object.freeze({ host: {}, definition: {} })

/**
 * The same host; what of it is deprecated is told in the log when the plugin first uses it. Deprecated members of the definition are told at
 * once. Each is told once for each call of this. For hosts: the master's and those of tests.
 * @example const given = heedDeprecations(host, definition, log)
 */
export function heedDeprecations(
  host: Host,
  definition: object,
  log: Pick<Log, 'warn'>,
  deprecations: Deprecations = DEPRECATIONS,
): Host {
  const told = new Set<string>()
  const tell = (used: string, instead: string) => {
    if (told.has(used)) return
    told.add(used)
    log.warn('deprecated, it is going to leave', { used, instead })
  }
  for (const [member, instead] of Object.entries(deprecations.definition))
    if (member in definition) tell(`definition.${member}`, instead)
  const members = Object.getOwnPropertyDescriptors(host)
  const heeded: PropertyDescriptorMap = { ...members }
  for (const [member, instead] of Object.entries(deprecations.host)) {
    if (!(member in members)) continue
    heeded[member] = {
      enumerable: true,
      get() {
        tell(`host.${member}`, instead)
        return host[member as keyof Host] // it is one of its own members
      },
    }
  }
  return Object.freeze(Object.defineProperties({}, heeded)) as Host // the same members, some told of
}
