import {
  type Carrier,
  type ChatCommand,
  type Clock,
  type Host,
  type HttpHandler,
  isJson,
  type Log,
  type LogFields,
  type Poller,
  type Query,
  type TapContext,
  type TapOptions,
} from 'boltbot/plugin-sdk'
import { onlyInApply, stateNotJson } from '../errors.ts'
import { createPluginClock } from '../plugin-clock.ts'
import { notInWorker } from './errors.ts'
import { createLogGate } from './log-gate.ts'
import type { Manifest } from './messages.ts'
import { packFields } from './pack-fields.ts'
import type { Rpc } from './rpc.ts'

/** The host as a plugin in a thread has it: each member asks the master. */
export interface WorkerHost {
  readonly host: Host
  /** What was noted; the functions are called by their places. */
  readonly noted: Noted
  manifest(): Manifest
  /** `tap` and `register…` are allowed until the returned thing is disposed. */
  applying(): Disposable
  /** A timer of the master's clock is due. */
  fire(timer: number): void
  /** The master begins to stop the plugin. */
  end(reason: Error): void
  /** Closes what the plugin owns, the last first. */
  close(): Promise<void>
}

export interface Noted {
  readonly taps: {
    readonly hook: Parameters<Host['tap']>[0]
    readonly tap: (event: unknown, context: TapContext) => unknown
    readonly options: TapOptions
  }[]
  readonly pollers: Poller[]
  readonly chatCommands: ChatCommand[]
  readonly carriers: Carrier[]
  readonly routes: (Manifest['routes'][number] & { readonly handler: HttpHandler })[]
}

export interface WorkerHostDeps {
  readonly id: string
  readonly rpc: Pick<Rpc, 'call' | 'tell'>
  /** For what is answered soon. */
  readonly call: Rpc['call']
  readonly ask: (method: string, args: readonly unknown[]) => unknown
  readonly queries: readonly string[]
}

export function createWorkerHost({ id, rpc, call, ask, queries }: WorkerHostDeps): WorkerHost {
  const noted: Noted = { taps: [], pollers: [], chatCommands: [], carriers: [], routes: [] }
  const stack = new AsyncDisposableStack()
  const ending = new AbortController()
  const timers = new Map<number, () => void>()
  let made = 0
  let isApplying = false

  const base: Clock = {
    now: () => ask('now', []) as number,
    timer(ms, fire) {
      const timer = ++made
      timers.set(timer, fire)
      rpc.tell('timer', timer, ms)
      return {
        [Symbol.dispose]() {
          if (timers.delete(timer)) rpc.tell('clear', timer)
        },
      }
    },
    sleep: () => Promise.reject(notInWorker(id, 'clock.sleep')), // the plugin's clock makes sleeps of timers
  }
  const clock = stack.use(createPluginClock(id, base, (error) => rpc.tell('failed', packFields({ error }))))
  const inApply = (member: string) => {
    if (!isApplying) throw onlyInApply(id, member)
  }
  const remote =
    (method: string) =>
    (...args: unknown[]) =>
      call('host', [method, ...args])
  const absent = (member: string) => () => {
    throw notInWorker(id, member)
  }
  // Each asks for the member of its own name, with the arguments it is given: the types are those of the host there.
  const member = <Name extends keyof Host>(name: Name) => remote(name) as unknown as Host[Name]
  const setState = remote('state.set')
  const isDisposed = () => stack.disposed

  const route: Host['http']['route'] = (method, path, handler, options = {}) => {
    inApply('http.route')
    noted.routes.push({ method, path, handler, options })
  }
  const host: Host = Object.freeze({
    id,
    log: createLog(
      rpc,
      createLogGate(() => performance.now()),
    ),
    clock,
    signal: ending.signal,
    own<T extends Disposable | AsyncDisposable>(thing: T): T {
      if (isDisposed()) throw ending.signal.reason
      return stack.use(thing)
    },
    share: absent('share') as Host['share'],
    tap(hook, tap, options = {}) {
      inApply('tap')
      noted.taps.push({ hook, tap: tap as Noted['taps'][number]['tap'], options }) // the master sends events of this hook
    },
    submitChange: member('submitChange'),
    submitBuildset: member('submitBuildset'),
    waitFor: (buildset, { signal } = {}) =>
      rpc.call('host', ['waitFor', buildset], { signal }) as ReturnType<Host['waitFor']>,
    force: member('force'),
    stop: member('stop'),
    cancel: member('cancel'),
    rebuild: member('rebuild'),
    pause: member('pause'),
    resume: member('resume'),
    reconfigure: member('reconfigure'),
    notify: member('notify'),
    directory: member('directory'),
    pollSoon: member('pollSoon'),
    query: Object.freeze({
      ...Object.fromEntries(queries.map((name) => [name, remote(`query.${name}`)])),
      project: () => ask('query.project', []),
    }) as Query, // the master names all of its queries
    state: Object.freeze({
      get: remote('state.get'),
      async set(key: string, value: unknown) {
        // Here, as what crosses to the master is copied: a Date would be refused there, an object of a class not.
        if (!isJson(value)) throw stateNotJson(id, key)
        await setState(key, value)
      },
      delete: remote('state.delete'),
    }) as Host['state'],
    secrets: Object.freeze({
      resolve: (value: unknown) => ask('secrets.resolve', [value]) as string,
    }) as Host['secrets'],
    people: Object.freeze({
      mailAddress: remote('people.mailAddress'),
      ircIdentities: remote('people.ircIdentities'),
      interested: remote('people.interested'),
    }) as Host['people'],
    http: Object.freeze({
      route,
      url: () => ask('http.url', []) as ReturnType<Host['http']['url']>,
      page: (path: string) => ask('http.page', [path]) as string | null,
    }),
    slaves: new Proxy({} as Host['slaves'], { get: absent('slaves') }),
    registerScheduler: absent('registerScheduler'),
    registerPoller(poller) {
      inApply('registerPoller')
      if (poller.watches !== undefined) throw notInWorker(id, 'registerPoller with "watches"')
      noted.pollers.push(poller)
    },
    registerChatCommand(command) {
      inApply('registerChatCommand')
      noted.chatCommands.push(command)
    },
    openChat: absent('openChat'),
    registerCarrier(carrier) {
      inApply('registerCarrier')
      noted.carriers.push(carrier)
    },
  } satisfies Host)

  return {
    host,
    noted,
    manifest: () => ({
      taps: noted.taps.map(({ hook, options }) => ({ hook, options })),
      pollers: noted.pollers.map(({ poll: _, watches: __, ...facts }) => facts),
      chatCommands: noted.chatCommands.map(({ run: _, ...facts }) => facts),
      carriers: noted.carriers.map(({ scheme }) => ({ scheme })),
      routes: noted.routes.map(({ handler: _, ...facts }) => facts),
    }),
    applying() {
      isApplying = true
      return { [Symbol.dispose]: () => void (isApplying = false) }
    },
    fire(timer) {
      const due = timers.get(timer)
      timers.delete(timer)
      due?.()
    },
    end: (reason) => ending.abort(reason),
    close: () => stack.disposeAsync(),
  }
}

function createLog(rpc: Pick<Rpc, 'tell'>, gate: ReturnType<typeof createLogGate>, bound: LogFields = {}): Log {
  const at =
    (level: 'error' | 'warn' | 'info' | 'debug') =>
    (message: string, fields: LogFields = {}) => {
      const dropped = gate()
      if (dropped === undefined) return
      if (dropped > 0) rpc.tell('log', 'warn', 'lines dropped, the plugin logs too much', { dropped })
      rpc.tell('log', level, String(message), packFields({ ...bound, ...fields }))
    }
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (fields) => createLog(rpc, gate, { ...bound, ...fields }),
  }
}
