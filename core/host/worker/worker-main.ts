import { existsSync } from 'node:fs'
import { getPriority, platform, setPriority } from 'node:os'
import { join, relative } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import { Worker, workerData } from 'node:worker_threads'
import {
  type BuildView,
  CiError,
  createHttpRequest,
  type Delivery,
  definitionOf,
  type HttpAnswer,
  heedDeprecations,
  limitHost,
  type PluginDefinition,
  type PluginKind,
} from 'boltbot/plugin-sdk'
import { createImporter } from '../../config/importer.ts'
import { applyAsync } from '../errors.ts'
import { createBackPressure } from './back-pressure.ts'
import { codeChanged, notExported } from './errors.ts'
import { createInFlight } from './in-flight.ts'
import type { WireAnswer, WireRequest, WorkerStart } from './messages.ts'
import { createRpc, type Handler } from './rpc.ts'
import { createSyncCaller } from './sync-call.ts'
import { createWorkerHost } from './worker-host.ts'

// The entry of a plugin's thread: plugin-thread.ts starts it, and calls what stands in `handlers`.
serve(workerData as WorkerStart)

type Definition = PluginDefinition<PluginKind, object, object>

function serve(start: WorkerStart): void {
  const { id, port, sync, queries } = start
  if (start.isAgain) giveWay()
  const rpc = createRpc({
    port,
    handlerOf: (method) => handlers[method],
    sending: createBackPressure(start.pressure).send,
  })
  const made = createWorkerHost({ id, rpc, call: createInFlight(rpc), ask: createSyncCaller(sync), queries })
  const streams = new Map<number, AsyncIterator<unknown>>()
  let opened = 0
  let options = start.options
  let definition: Definition
  let host = made.host

  const handlers: Readonly<Record<string, Handler>> = {
    async load() {
      definition = await findDefinition(start)
      const limited = limitHost(made.host, { plugin: id, needs: definition.needs ?? [], options: () => options })
      host = heedDeprecations(limited, definition as never, made.host.log) // its options are its own matter
      using _ = made.applying()
      const given: unknown = definition.apply(host, options)
      if (given instanceof Promise) {
        given.catch(() => {}) // it is refused, whatever comes of it
        throw applyAsync(id)
      }
      if (!start.isAgain) giveWay()
      return made.manifest()
    },
    async start() {
      const thing = await definition.start?.(host, options)
      if (thing) made.host.own(thing)
    },
    async reconfigure([next]) {
      const renewed = next as object
      if ((await definition.reconfigure?.(host, renewed, options)) !== true) return false
      options = renewed
      return true
    },
    preview: ([build]) => definition.preview?.(host, options, build as BuildView),
    tap: ([place, event], { signal }) => made.noted.taps[place as number]!.tap(event, { signal }),
    poll: ([place], { signal }) => made.noted.pollers[place as number]!.poll({ signal }),
    addressOf: ([place, who]) => made.noted.carriers[place as number]!.addressOf(String(who)),
    deliver: ([place, delivery], { signal }) =>
      made.noted.carriers[place as number]!.deliver(delivery as Delivery, { signal }),
    chat: ([place, call], { signal, part }) =>
      made.noted.chatCommands[place as number]!.run({ ...(call as never as object), signal, reply: part } as never), // what a call is else
    async route([place, asked], { signal }) {
      const { query, ...facts } = asked as WireRequest
      const request = createHttpRequest({ ...facts, query: new URLSearchParams(query), signal })
      return wireAnswer((await made.noted.routes[place as number]!.handler(request)) ?? { status: 204 })
    },
    next: async ([stream]) => streams.get(stream as number)!.next(),
    async return([stream]) {
      const iterator = streams.get(stream as number)
      streams.delete(stream as number)
      await iterator?.return?.()
    },
    fire: ([timer]) => made.fire(timer as number),
    beat: () => {},
    // What is asked for behind a full collection: there is no other way to have one.
    collect: () => void queryObjects(Worker),
    // As a clock of tests lets promises settle.
    async settle() {
      for (let turn = 0; turn < 4; turn++) await nextTurn()
    },
    end: ([reason]) => made.end(new CiError(reason as ConstructorParameters<typeof CiError>[0])),
    close: () => made.close(),
  }

  function wireAnswer({ status, headers, body, events }: HttpAnswer): WireAnswer {
    const facts = { ...(status !== undefined && { status }), ...(headers && { headers }) }
    const keep = (iterable: AsyncIterable<unknown>, of: 'body' | 'events') => {
      streams.set(++opened, iterable[Symbol.asyncIterator]())
      return { ...facts, stream: { number: opened, of } }
    }
    if (events) return keep(events, 'events')
    if (typeof body === 'object' && Symbol.asyncIterator in body) return keep(body, 'body')
    return body === undefined ? facts : { ...facts, body }
  }
}

/**
 * From here on builds go first where cores are scarce. On Linux alone this is the thread's own matter; elsewhere it would be the whole master's.
 * The first time behind the loading, for which the master's start waits.
 */
function giveWay(): void {
  if (platform() === 'linux') setPriority(0, Math.min(19, getPriority(0) + 10))
}

/** The plugin's definition, from the code it had when the config was read. */
async function findDefinition({ id, name, module, folder, copy, codeHash }: WorkerStart): Promise<Definition> {
  const importer = createImporter()
  const kept = join(copy, relative(folder, module))
  let { exports, hash } = await importer.readModule(module, folder, 'worker').catch(orNothing(existsSync(kept)))
  // It was edited, and the config is not read again yet, or was refused.
  if (hash !== codeHash && existsSync(kept)) ({ exports, hash } = await importer.readModule(kept, copy, 'copy'))
  if (hash !== codeHash) throw codeChanged(id, module)
  for (const exported of Object.values(exports)) {
    const found = definitionOf(exported)
    if (found?.name === name) return found as unknown as Definition // the factory tied its options
  }
  throw notExported(id, name, module)
}

/** Edited into something that cannot be read: no matter, when there is a copy. */
const orNothing = (hasCopy: boolean) => (error: unknown) => {
  if (!hasCopy) throw error
  return { exports: {}, hash: 'unreadable' }
}
