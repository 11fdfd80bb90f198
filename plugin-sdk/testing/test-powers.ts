import type { Chat, ChatCommand, ChatMessage, ChatPlace } from '../chat.ts'
import type {
  BuildsetSubmitted,
  CancelOrder,
  ForceOrder,
  FormOrder,
  Host,
  PersonsOrder,
  Query,
  RebuildOrder,
  SlaveOrder,
  State,
} from '../host.ts'
import { isJson, type Json } from '../json.ts'
import type { BuildsetInput, Change, ChangeInput } from '../model.ts'
import type { Carrier, Notice, Recipient } from '../notify.ts'
import type { Poller } from '../poller.ts'
import type { Result } from '../results.ts'
import type { SchedulerRules } from '../scheduler.ts'
import { stateNotJson } from './errors.ts'

/** What a plugin asked its test host to do, oldest first. */
export interface TestRecords {
  readonly changes: readonly ChangeInput[]
  readonly buildsets: readonly BuildsetInput[]
  readonly forced: readonly (ForceOrder | FormOrder)[]
  readonly stopped: readonly { readonly build: number; readonly who: string; readonly reason: string }[]
  readonly cancelled: readonly CancelOrder[]
  readonly rebuilt: readonly RebuildOrder[]
  readonly paused: readonly SlaveOrder[]
  readonly resumed: readonly SlaveOrder[]
  readonly reconfigured: readonly PersonsOrder[]
  readonly schedulers: readonly SchedulerRules[]
  readonly pollers: readonly Poller[]
  readonly chatCommands: readonly ChatCommand[]
  /** Places it opened that are still open. */
  readonly chatPlaces: readonly ChatPlace[]
  /** What was said in them. */
  readonly heard: readonly ChatMessage[]
  readonly notices: readonly Notice[]
  readonly carriers: readonly Carrier[]
  /** Repositories whose pollers were asked to look. */
  readonly polledSoon: readonly string[]
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] }

export function createRecords(): Mutable<TestRecords> {
  return {
    changes: [],
    buildsets: [],
    forced: [],
    stopped: [],
    cancelled: [],
    rebuilt: [],
    paused: [],
    resumed: [],
    reconfigured: [],
    schedulers: [],
    pollers: [],
    chatCommands: [],
    chatPlaces: [],
    heard: [],
    notices: [],
    carriers: [],
    polledSoon: [],
  }
}

/** The change as the master would store it. */
export function acceptedChange(input: ChangeInput, id: number, now: number, source: string): Change {
  const { key: _, ...fields } = input
  return {
    branch: null,
    revision: null,
    repository: '',
    project: '',
    codebase: '',
    category: null,
    revlink: null,
    links: [],
    properties: {},
    when: now,
    ...fields,
    id,
    source,
  }
}

function submittedBuildset(buildset: number, builders: readonly string[]): BuildsetSubmitted {
  return { buildset, requests: builders.map((_, index) => buildset * 100 + index), warning: null }
}

/** Answers of a master where nothing has happened yet, unless the test sets others. */
export function createQuery(answers: Partial<Query>): Query {
  return Object.freeze({
    project: () => ({ name: 'Test', url: null }),
    builders: async () => [],
    builder: async () => undefined,
    branches: async () => [],
    expectations: async () => [],
    buildset: async () => undefined,
    buildsets: async () => [],
    isIdle: async () => false,
    build: async () => undefined,
    buildByNumber: async () => undefined,
    builds: async () => [],
    requests: async () => [],
    slaves: async () => [],
    audits: async () => [],
    locks: async () => [],
    schedulers: async () => [],
    pollers: async () => [],
    change: async () => undefined,
    changes: async () => [],
    why: async () => undefined,
    logTail: async () => '',
    request: async () => undefined,
    log: async () => undefined,
    readLog: async (_, from) => ({ pieces: [], next: from, finished: true }),
    logLine: async () => 0,
    ...answers,
  } satisfies Query)
}

/** A place where nobody answers: what is said in it is noted. */
export function openTestChat(records: ReturnType<typeof createRecords>, place: ChatPlace): Chat {
  records.chatPlaces.push(place)
  return {
    async hear(message) {
      records.heard.push(message)
    },
    [Symbol.dispose]: () => void records.chatPlaces.splice(records.chatPlaces.indexOf(place) >>> 0, 1),
  }
}

/** State in memory: JSON in, JSON out, as the real one. */
export function createState(stored: Map<string, Json>, plugin: () => string): State {
  return Object.freeze({
    get: async (key: string) => structuredClone(stored.get(key)),
    async set(key: string, value: Json) {
      if (!isJson(value)) throw stateNotJson(plugin(), key)
      stored.set(key, structuredClone(value))
    },
    async delete(key: string) {
      stored.delete(key)
    },
  })
}

type Orders = Pick<
  Host,
  | 'notify'
  | 'submitBuildset'
  | 'waitFor'
  | 'force'
  | 'stop'
  | 'cancel'
  | 'rebuild'
  | 'pause'
  | 'resume'
  | 'reconfigure'
  | 'pollSoon'
>

/** What a plugin may ask for: noted, and answered as a master would that has slaves for everything. */
export function createOrders(records: ReturnType<typeof createRecords>, alive: () => void, result: Result): Orders {
  return {
    async notify(notice) {
      alive()
      const told = records.notices.filter(({ key }) => key === notice.key).flatMap(({ to }) => to.map(recipientText))
      records.notices.push(notice)
      return { queued: notice.to.filter((one) => !told.includes(recipientText(one))).length }
    },
    async submitBuildset(buildset) {
      alive()
      records.buildsets.push(buildset)
      return submittedBuildset(records.buildsets.length + records.forced.length, buildset.builders)
    },
    async pollSoon(repository) {
      alive()
      records.polledSoon.push(repository)
      return 0
    },
    async waitFor() {
      alive()
      return result
    },
    async force(order) {
      alive()
      records.forced.push(order)
      const builders = 'builder' in order ? [order.builder] : (order.builders ?? [order.scheduler])
      return submittedBuildset(records.buildsets.length + records.forced.length, builders)
    },
    async stop(order) {
      alive()
      records.stopped.push(order)
    },
    async cancel(order) {
      alive()
      records.cancelled.push(order)
      return 1
    },
    async rebuild(order) {
      alive()
      records.rebuilt.push(order)
      return submittedBuildset(1000 + records.rebuilt.length, ['rebuilt'])
    },
    async pause(order) {
      alive()
      records.paused.push(order)
    },
    async resume(order) {
      alive()
      records.resumed.push(order)
    },
    async reconfigure(order) {
      alive()
      records.reconfigured.push(order)
      return []
    },
  }
}

const recipientText = (one: Recipient) => ('who' in one ? `person:${one.who}` : `${one.scheme}:${one.address}`)
