import type {
  Carrier,
  ChatCommand,
  Clock,
  Host,
  Json,
  Log,
  PluginKind,
  Poller,
  SchedulerRules,
} from 'boltbot/plugin-sdk'
import type { Route } from '../http/server.ts'
import { hostStopped } from './errors.ts'

/** What the rest of core does for one plugin: the members of `Host` the plugin host does not make itself. */
export interface HostPowers
  extends Pick<
    Host,
    | 'submitChange'
    | 'submitBuildset'
    | 'waitFor'
    | 'force'
    | 'stop'
    | 'cancel'
    | 'rebuild'
    | 'pause'
    | 'resume'
    | 'reconfigure'
    | 'notify'
    | 'query'
    | 'state'
    | 'directory'
    | 'secrets'
    | 'people'
    | 'slaves'
    | 'openChat'
    | 'pollSoon'
  > {
  /** Called when all plugins have started; what it returns is disposed when the plugin stops. */
  registerScheduler(rules: SchedulerRules<Json>): Disposable | AsyncDisposable
  /** As above: polls begin when all plugins have started. */
  registerPoller(poller: Poller): Disposable | AsyncDisposable
  /** As above; `run` is the command behind the plugin's budget. */
  registerChatCommand(command: ChatCommand, run: ChatCommand['run']): Disposable
  /** As above: messages come when all plugins have started. */
  registerCarrier(carrier: Carrier): Disposable | AsyncDisposable
  readonly http: {
    /** As above; `null`: there is no web server. */
    readonly register: ((route: Route) => Disposable) | null
    url(): string | null
    page(path: string): string | null
  }
}

/** What the powers may know of the plugin they are for. */
export interface PowerScope {
  readonly id: string
  readonly kind: PluginKind
  /** Names the plugin on every line. */
  readonly log: Log
  /** Its timers end with the plugin. */
  readonly clock: Clock
  /** Aborted when the plugin is stopped. */
  readonly signal: AbortSignal
}

/** What a plugin calls as it is; the others are kept track of, or are things with members of their own. */
const ACTS = [
  'submitChange',
  'submitBuildset',
  'waitFor',
  'force',
  'stop',
  'cancel',
  'rebuild',
  'pause',
  'resume',
  'reconfigure',
  'notify',
  'directory',
  'openChat',
  'pollSoon',
] as const satisfies readonly (keyof HostPowers)[]

type Gated = Omit<
  HostPowers,
  'registerScheduler' | 'registerPoller' | 'registerChatCommand' | 'registerCarrier' | 'http'
>

/** The powers behind a gate: once the plugin is stopped, async members reject and the others throw `BOLT_HOST_STOPPED`. */
export function gatePowers(powers: HostPowers, plugin: string, isOpen: () => boolean): Gated {
  /** `direct`: the members that are not async. */
  const gated = <T extends object>(thing: T, direct: readonly (keyof T)[] = []): T => {
    const behindGate = ([key, member]: [string, unknown]) => {
      if (typeof member !== 'function') return [key, member]
      const act = (...args: unknown[]): unknown => {
        if (!isOpen()) throw hostStopped(plugin)
        return Reflect.apply(member, thing, args)
      }
      return [key, (direct as readonly string[]).includes(key) ? act : async (...args: unknown[]) => act(...args)]
    }
    return Object.freeze(Object.fromEntries(Object.entries(thing).map(behindGate))) as T // same members, same signatures
  }

  const members = gated(powers, ['openChat'])
  return {
    ...pick(members, ACTS),
    query: gated(powers.query, ['project']),
    state: gated(powers.state),
    secrets: gated(powers.secrets, ['resolve']),
    people: gated(powers.people),
    slaves: gated(powers.slaves, ['password', 'known', 'registerEngine']),
  }
}

function pick<T, K extends keyof T>(thing: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, thing[key]])) as Pick<T, K> // these keys, their values
}
