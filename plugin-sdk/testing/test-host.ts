import { heedDeprecations } from '../deprecations.ts'
import { HOOK_KINDS, type HookEvent, type HookName, type HookValue, type TapOptions } from '../hooks.ts'
import type { Host, Query } from '../host.ts'
import type { HttpAnswer } from '../http.ts'
import { deepFreeze, type Json } from '../json.ts'
import type { LatentEngine } from '../latent.ts'
import { limitHost } from '../needs.ts'
import type { PluginInstance } from '../plugin.ts'
import type { SecretRef } from '../render.ts'
import type { Result } from '../results.ts'
import type { SchedulerRules } from '../scheduler.ts'
import type { SlaveConnection } from '../slave-transport.ts'
import { checkedOptions } from './checked-options.ts'
import { misused, testHostStopped } from './errors.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createMemoryLog, type MemoryLog } from './memory-log.ts'
import { createTestPeople, type TestPeople } from './test-people.ts'
import {
  acceptedChange,
  createOrders,
  createQuery,
  createRecords,
  createState,
  openTestChat,
  type TestRecords,
} from './test-powers.ts'
import { requestRoute, type TestRequest, type TestRoute } from './test-routes.ts'

/** A host for one plugin alone: no master, no store, no other plugins. What the plugin does is remembered. */
export interface TestHost extends AsyncDisposable {
  /** The whole host, for the test to look at. The plugin is given what it says it needs of it. */
  readonly host: Host
  readonly clock: FakeClock
  readonly log: MemoryLog
  readonly records: TestRecords
  /** The plugin's state store, to be filled and looked at. */
  readonly state: Map<string, Json>
  /** Connections that a slave transport handed over. */
  readonly attached: readonly SlaveConnection[]
  /** Engines for latent slaves that it offers at present. */
  readonly engines: readonly LatentEngine[]
  /** Checks the options by the schema and calls `apply`. @throws CiError `BOLT_TESTING_OPTIONS` when they are refused, `BOLT_TESTING_MISUSED`; what `apply` throws. */
  apply(plugin: PluginInstance): void
  /** Calls `start`; what it returns is owned. Resolves when it has started; rejects with what it throws. */
  start(): Promise<void>
  /** Applies and starts. Resolves when it has started. @throws as `apply` and `start`. */
  run(plugin: PluginInstance): Promise<void>
  /**
   * Calls the plugin's taps on a hook one after the other, as the master would, and resolves with the value: the refined event, the
   * first choice, or nothing. What a tap throws is thrown. For observe hooks `eventId` and `at` may be left out.
   * @example await host.fire('buildFinished', { ...event, result: 'failure' })
   */
  fire<Name extends HookName>(name: Name, event: FiredEvent<Name>): Promise<HookValue<Name>>
  /** Hooks the plugin tapped. */
  readonly taps: readonly HookName[]
  /**
   * Asks a route the plugin added, as a client of the web server would; `undefined` when no route fits. What its handler throws
   * is thrown.
   * @example await host.request({ method: 'POST', path: '/hook', body: JSON.stringify({ ref: 'refs/heads/main' }) })
   */
  request(asked: TestRequest): Promise<HttpAnswer | undefined>
  /** Asks a registered poller to poll once. Resolves when it has; rejects with what it throws. @throws CiError `BOLT_TESTING_MISUSED` when there is none. */
  poll(name?: string): Promise<void>
  /** Ends the plugin as the master does: signal, taps, owned things in reverse. Rejects with what could not be closed. */
  stop(): Promise<void>
  /** After `stop`: timers that still run on the clock, with where they were made. Empty is good. */
  leaks(): readonly string[]
}

/** An event as tests give it: `eventId` and `at` may be left out. */
export type FiredEvent<Name extends HookName> = Omit<HookEvent<Name>, 'eventId' | 'at'> & {
  readonly eventId?: number
  readonly at?: number
}

/** What a test host answers with. */
export interface TestHostOptions extends TestPeople {
  /** The plugin's id; default: the instance's own. */
  readonly id?: string
  readonly clock?: FakeClock
  readonly log?: MemoryLog
  /** Answers of `host.query`; what is left out finds nothing. */
  readonly query?: Partial<Query>
  readonly secrets?: Readonly<Record<string, string>>
  /** Passwords of configured slaves; `undefined` as value: a slave without one. */
  readonly slaves?: Readonly<Record<string, string | undefined>>
  /** What `host.directory()` gives; default: it rejects, so that no test writes by accident. */
  readonly directory?: string
  /** How every buildset ends; default `success`. */
  readonly buildsetResult?: Result
  /** Replace members of the host, to make them fail for instance. */
  readonly override?: Partial<Host>
}

/**
 * @example
 * await using host = createTestHost()
 * await host.run(lamp({ url }))
 * await host.fire('buildFinished', { ...event, result: 'failure' })
 */
export function createTestHost(options: TestHostOptions = {}): TestHost {
  const clock = options.clock ?? createFakeClock()
  const log = options.log ?? createMemoryLog()
  const records = createRecords()
  const state = new Map<string, Json>()
  const attached: SlaveConnection[] = []
  const engines: LatentEngine[] = []
  const taps: Tapped[] = []
  const routes: TestRoute[] = []
  const shared = new Map<string, Promise<Disposable | AsyncDisposable>>()
  const ending = new AbortController()
  const tapsEnding = new AbortController()
  const stack = new AsyncDisposableStack()
  let plugin: PluginInstance | undefined
  let given: object = {}
  let applying = false
  let events = 0
  let limited: Host | undefined
  let stopped: Promise<void> | undefined
  let over = false

  const id = () => options.id ?? plugin?.id ?? 'test'
  const alive = () => {
    if (over) throw testHostStopped(id())
  }
  const inApply = (member: string) => {
    if (!applying) throw misused(id(), `called host.${member} after apply`)
  }
  const host: Host = Object.freeze({
    get id() {
      return id()
    },
    log,
    clock,
    signal: ending.signal,
    own<T extends Disposable | AsyncDisposable>(thing: T): T {
      return stack.use(thing)
    },
    async share(key, open) {
      if (!shared.has(key))
        shared.set(
          key,
          Promise.resolve(open({ clock, log })).then((thing) => stack.use(thing)),
        )
      return shared.get(key) as never // one key, one type
    },
    tap(hook, tap, tapOptions = {}) {
      inApply('tap')
      if (!Object.hasOwn(HOOK_KINDS, hook)) throw misused(id(), `taps "${hook}", which is no hook`)
      const isStored = HOOK_KINDS[hook] === 'observe' && hook !== 'logAppended'
      if (plugin?.definition.durable && !isStored)
        throw misused(id(), `is durable and taps "${hook}", which is not stored`)
      taps.push({ hook, tap: tap as Tapped['tap'], options: tapOptions }) // `fire` pairs hook and event again
    },
    async submitChange(change) {
      alive()
      records.changes.push(change)
      return { change: acceptedChange(change, records.changes.length, clock.now(), id()), duplicate: false }
    },
    ...createOrders(records, alive, options.buildsetResult ?? 'success'),
    query: createQuery(options.query ?? {}),
    state: createState(state, id),
    async directory() {
      alive()
      if (options.directory === undefined) throw misused(id(), 'asked for its directory, and the test gave none')
      return options.directory
    },
    secrets: { resolve: (value) => (typeof value === 'string' ? value : secretOf(value)) },
    people: createTestPeople(options),
    slaves: {
      password: (slave) => options.slaves?.[slave],
      known: (slave) => Object.hasOwn(options.slaves ?? {}, slave),
      async attach(connection) {
        alive()
        attached.push(connection)
      },
      registerEngine(engine) {
        engines.push(engine)
        return { [Symbol.dispose]: () => void engines.splice(engines.indexOf(engine), 1) }
      },
    },
    http: {
      route(method, path, handler) {
        inApply('http.route')
        routes.push({ method, path, handler })
      },
      url: () => 'http://localhost:8010/',
      page: (path) => `http://localhost:8010${path}`,
    },
    registerScheduler(rules) {
      inApply('registerScheduler')
      records.schedulers.push(rules as unknown as SchedulerRules) // kept for the test, which knows its state's type
    },
    registerPoller(poller) {
      inApply('registerPoller')
      records.pollers.push(poller)
    },
    registerChatCommand(command) {
      inApply('registerChatCommand')
      records.chatCommands.push(command)
    },
    openChat: (place) => openTestChat(records, place),
    registerCarrier(carrier) {
      inApply('registerCarrier')
      records.carriers.push(carrier)
    },
    ...options.override,
  } satisfies Host)

  const secretOf = (ref: SecretRef) => {
    const value = options.secrets?.[ref.name]
    if (value === undefined) throw misused(id(), `asked for the secret "${ref.name}", which the test did not give`)
    return value
  }
  const fire: TestHost['fire'] = async (name, event) => {
    const kind = HOOK_KINDS[name]
    let value: unknown = deepFreeze(
      kind === 'observe' ? { eventId: ++events, at: clock.now(), ...event } : { ...event },
    )
    for (const { tap } of taps.filter((one) => one.hook === name).toSorted(byStage)) {
      const answer = await tap(value, { signal: tapsEnding.signal })
      if (answer === undefined) continue
      if (kind === 'choose') return answer as never // the tap's type says what it may return
      if (kind === 'refine') value = deepFreeze({ ...(value as object), ...(answer as object) })
    }
    return (kind === 'refine' ? value : undefined) as never // as above
  }
  const stop = async () => {
    ending.abort(testHostStopped(id()))
    tapsEnding.abort(testHostStopped(id()))
    try {
      await stack.disposeAsync()
    } finally {
      over = true
    }
  }

  const test: TestHost = {
    host,
    clock,
    log,
    records,
    state,
    attached,
    engines,
    apply(instance) {
      plugin = instance
      given = checkedOptions(instance)
      applying = true
      try {
        const { needs = [] } = instance.definition
        limited = heedDeprecations(
          limitHost(host, { plugin: id(), needs, options: () => given }),
          instance.definition,
          log,
        )
        const result: unknown = instance.definition.apply(limited, given as never) // the factory tied options and definition
        if (result instanceof Promise) throw misused(id(), 'has an async apply, which must be synchronous')
      } finally {
        applying = false
      }
    },
    async start() {
      if (!plugin || !limited) throw misused(id(), 'was not applied')
      const opened = await plugin.definition.start?.(limited, given as never) // as above
      if (opened) stack.use(opened)
    },
    async run(instance) {
      test.apply(instance)
      await test.start()
    },
    fire,
    get taps() {
      return taps.map((one) => one.hook)
    },
    request: (asked) => requestRoute(routes, asked, tapsEnding.signal),
    async poll(name) {
      const poller = records.pollers.find((one) => name === undefined || one.name === name)
      if (!poller) throw misused(id(), `registered no poller${name === undefined ? '' : ` "${name}"`}`)
      await poller.poll({ signal: ending.signal })
    },
    stop: () => (stopped ??= stop()),
    leaks: () =>
      clock.pending().map((timer) => `a ${timer.kind} of ${timer.at - clock.now()} ms, made\n${timer.madeAt}`),
    [Symbol.asyncDispose]: () => test.stop(),
  }
  return test
}

interface Tapped {
  readonly hook: HookName
  readonly tap: (event: unknown, context: { readonly signal: AbortSignal }) => unknown
  readonly options: TapOptions
}

function byStage(a: Tapped, b: Tapped): number {
  return (a.options.stage ?? 0) - (b.options.stage ?? 0)
}
