import type { MessagePort } from 'node:worker_threads'
import type {
  Carrier,
  ChatCommand,
  HookName,
  HttpAnswer,
  HttpMethod,
  HttpRequestFacts,
  HttpRouteOptions,
  Poller,
  TapOptions,
} from 'boltbot/plugin-sdk'
import type { SyncLine } from './sync-call.ts'

/** What a thread is started with. */
export interface WorkerStart {
  readonly id: string
  /** Of the definition: what is looked for among the exports. */
  readonly name: string
  readonly module: string
  readonly folder: string
  /** Where the same files may be as they were when the config was read. */
  readonly copy: string
  readonly codeHash: string
  readonly options: object
  /** In place of one that ended. */
  readonly isAgain: boolean
  /** Names of the async queries of this master. */
  readonly queries: readonly string[]
  readonly port: MessagePort
  /** See `createBackPressure`. */
  readonly pressure: SharedArrayBuffer
  readonly sync: SyncLine
}

/** What `apply` noted in the thread; the functions stay there and are called by their place in these lists. */
export interface Manifest {
  readonly taps: readonly { readonly hook: HookName; readonly options: TapOptions }[]
  readonly pollers: readonly Omit<Poller, 'poll' | 'watches'>[]
  readonly chatCommands: readonly Omit<ChatCommand, 'run'>[]
  readonly carriers: readonly Pick<Carrier, 'scheme'>[]
  readonly routes: readonly { readonly method: HttpMethod; readonly path: string; readonly options: HttpRouteOptions }[]
}

/** A request without what cannot go between threads. */
export interface WireRequest extends Omit<HttpRequestFacts, 'signal' | 'query'> {
  readonly query: string
}

/** An answer; what is iterated stays in the thread, and is asked for piece by piece under a number. */
export interface WireAnswer extends Pick<HttpAnswer, 'status' | 'headers'> {
  readonly body?: string | Uint8Array
  readonly stream?: { readonly number: number; readonly of: 'body' | 'events' }
}
