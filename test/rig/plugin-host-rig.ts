import { fileURLToPath } from 'node:url'
import {
  type Carrier,
  type ChangeInput,
  type ChatCommand,
  CiError,
  type HookName,
  type Host,
  type Log,
  NEEDS,
  type PluginDefinition,
  type PluginInstance,
  type PluginKind,
  type Poller,
  type StoredHook,
  type Tap,
  type TapOptions,
} from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog, createSeededRandom } from 'boltbot/plugin-sdk/testing'
import type { PluginSpec } from '../../core/config/model.ts'
import type { JournalEvent, JournalReader } from '../../core/host/durable-reader.ts'
import type { HostPowers } from '../../core/host/plugin-powers.ts'
import type { Route } from '../../core/http/server.ts'
import { createPluginHost, type PluginHostDeps } from '../../core/plugin-host.ts'

/** A plugin host on a fake clock, with a journal in memory and powers that note their calls in `calls`. */
export function createPluginHostRig(limits: PluginHostDeps['limits'] = {}, ownLog?: Log) {
  const clock = createFakeClock()
  const log = createMemoryLog()
  const calls: string[] = []
  const events: JournalEvent[] = []
  const cursors = new Map<string, number>()
  const journal: JournalReader = {
    head: async () => events.length,
    read: async ({ after, names, limit }) =>
      events.filter((item) => item.event.eventId > after && names.includes(item.name)).slice(0, limit),
    cursor: async (plugin) => cursors.get(plugin),
    advance: async (plugin, event) => void cursors.set(plugin, event),
  }
  const things = new Map<string, unknown>()
  const register = (what: string, thing?: unknown) => {
    things.set(what, thing)
    calls.push(`+${what}`)
    return { [Symbol.dispose]: () => void calls.push(`-${what}`) }
  }
  const powers = (id: string): HostPowers => ({
    // not called by these tests
    ...({} as Pick<
      HostPowers,
      'submitBuildset' | 'waitFor' | 'stop' | 'cancel' | 'rebuild' | 'pause' | 'resume' | 'reconfigure' | 'notify'
    >),
    force: async () => {
      throw new CiError({ code: 'BOLT_TEST', message: 'It is refused.' })
    },
    submitChange: async (change: ChangeInput) => {
      calls.push(`${id} submits ${change.comments}`)
      return { change: {} as never, duplicate: false } // its content is not looked at
    },
    query: {
      project: () => ({ name: 'Hello', url: null }),
      builds: async () => [{}, {}],
    } as unknown as HostPowers['query'], // the rest is not called
    state: {
      get: async (key) => (calls.includes(`${id} sets ${key}`) ? true : undefined),
      set: async (key) => void calls.push(`${id} sets ${key}`),
      delete: async () => {},
    },
    directory: async () => '/nowhere',
    secrets: { resolve: (value) => (typeof value === 'string' ? value : `the secret ${value.name}`) },
    people: { mailAddress: async () => null, ircIdentities: async () => [], interested: async () => [] },
    slaves: {
      password: () => undefined,
      known: () => false,
      attach: async () => {},
      registerEngine: () => ({ [Symbol.dispose]() {} }),
    },
    pollSoon: async () => 0,
    registerScheduler: (rules) => register(`scheduler ${rules.name}`),
    registerPoller: (poller) => register(`poller ${poller.name}`, poller),
    registerChatCommand: (command, run) => register(`chat command ${command.name}`, run),
    openChat: () => ({ hear: async () => {}, [Symbol.dispose]: () => {} }),
    registerCarrier: (carrier) => register(`carrier of ${carrier.scheme}`, carrier),
    http: {
      register: (route) => register(`route ${route.method} ${route.path}`, route),
      url: () => 'http://localhost/',
      page: () => null,
    },
  })
  const random = createSeededRandom(1)
  const host = createPluginHost({ clock, log: ownLog ?? log, random, journal, powers, limits })

  return {
    host,
    clock,
    log,
    calls,
    /** What plugins registered, by name. */
    registered: {
      poller: (name: string) => things.get(`poller ${name}`) as Poller,
      command: (name: string) => things.get(`chat command ${name}`) as ChatCommand['run'],
      carrier: (scheme: string) => things.get(`carrier of ${scheme}`) as Carrier,
      route: (path: string) => ([...things].find(([name]) => name.endsWith(` ${path}`))![1] as Route).answer,
    },
    cursors,
    /** Commits an event: tells observers and wakes durable plugins, as the master does. */
    commit(name: StoredHook, payload: object = {}) {
      const event = { ...payload, eventId: events.length + 1, at: clock.now() }
      events.push({ name, event } as unknown as JournalEvent) // tests give the fields they look at
      host.hooks.tell(name, event as never)
      host.wake([events.at(-1)!])
    },
    /** Runs `work` while the fake clock goes on, and gives its outcome. */
    async during<T>(work: Promise<T>, ms: number | string): Promise<T> {
      work.catch(() => {}) // looked at below
      await clock.advance(ms)
      return work
    },
  }
}

/** A plugin of a config, without a config. It needs everything, unless it says otherwise. */
export function spec<Options extends object>(
  id: string,
  definition: Partial<PluginDefinition<PluginKind, Options>> = {},
  options: object = {},
  codeHash = '',
): PluginSpec {
  const needs = Object.keys(NEEDS)
  const whole = { name: id, kind: 'service' as const, needs, apply() {}, ...definition }
  const typed = whole as unknown as PluginInstance['definition'] // its options' type is the test's own matter
  return { id, kind: whole.kind, definition: typed, options, codeHash, version: null, worker: null }
}

/** A plugin with one tap. */
export function tapping<Name extends HookName>(
  id: string,
  hook: Name,
  tap: Tap<Name>,
  options?: TapOptions,
): PluginSpec {
  return spec(id, { apply: (host: Host) => host.tap(hook, tap, options) })
}

/** A plugin of `worker-plugins.ts`, in a worker. */
export function inWorker(id: string, plugin: PluginInstance, memoryMb = 64): PluginSpec {
  const { definition, options } = plugin
  const module = fileURLToPath(new URL('./worker-plugins.ts', import.meta.url))
  const worker = { memoryMb, module, folder: '/nowhere', copy: '/nowhere' }
  return { id, kind: definition.kind, definition, options, codeHash: '', version: null, worker }
}
