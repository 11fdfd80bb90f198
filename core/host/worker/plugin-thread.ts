import { MessageChannel, Worker } from 'node:worker_threads'
import { type Clock, messageOf } from 'boltbot/plugin-sdk'
import type { PluginSpec, WorkerSpec } from '../../config/model.ts'
import { createPace, type PaceLimits } from '../pace.ts'
import { createBackPressure } from './back-pressure.ts'
import { workerEnded, workerMemory } from './errors.ts'
import type { WorkerStart } from './messages.ts'
import { createRpc, type Handler, type Rpc } from './rpc.ts'
import { answerSyncCalls } from './sync-call.ts'
import type { Threads } from './threads.ts'
import { createWatch, engineLimit, type WatchLimits } from './watch.ts'

/** One thread of a plugin, from its start to its end. */
export interface PluginThread {
  readonly call: Rpc['call']
  readonly tell: Rpc['tell']
  /** From now on a thread that does not answer, or takes too much memory, is cut off. */
  watch(): void
  /** Resolves, with the reason, when the thread is gone or has been given up. */
  readonly ended: Promise<Error>
  kill(reason: Error): void
}

export interface PluginThreadDeps {
  readonly spec: PluginSpec & { readonly worker: WorkerSpec }
  readonly queries: readonly string[]
  /** In place of one that ended. */
  readonly isAgain: boolean
  /** Real time, also where the master's clock is moved by hand: a thread runs in it. */
  readonly time: Clock
  readonly limits: WatchLimits
  readonly handlers: Readonly<Record<string, Handler>>
  readonly answer: (method: string, args: readonly unknown[]) => unknown
  readonly threads?: Threads | undefined
  /** What it does at present, for the reason of its end. */
  readonly during: () => readonly string[]
}

/** What a thread says unasked. Many more it says never, unless in a loop. */
const MESSAGES: PaceLimits = { burst: 5000, perSecond: 2000 }
/** Members that are not async. A plugin that asks for the time in a loop must not keep the master from anything else. */
const SYNC_CALLS: PaceLimits = { burst: 5000, perSecond: 1000 }

export function openPluginThread(deps: PluginThreadDeps): PluginThread {
  const { spec, time, limits, during } = deps
  const { id, definition, options, codeHash, worker: place } = spec
  const [calls, sync] = [new MessageChannel(), new MessageChannel()]
  const bell = new SharedArrayBuffer(4)
  const pressure = new SharedArrayBuffer(4)
  const start: WorkerStart = {
    id,
    name: definition.name,
    module: place.module,
    folder: place.folder,
    copy: place.copy,
    codeHash,
    options,
    isAgain: deps.isAgain,
    queries: deps.queries,
    port: calls.port2,
    pressure,
    sync: { port: sync.port2, bell },
  }
  // Beside this file, as it runs: from source or built.
  const entry = import.meta.url.endsWith('.ts') ? './worker-main.ts' : './worker-main.js'
  const worker = new Worker(new URL(entry, import.meta.url), {
    name: `plugin ${id}`,
    workerData: start,
    transferList: [calls.port2, sync.port2],
    resourceLimits: { maxOldGenerationSizeMb: engineLimit(place.memoryMb) },
  })
  const { take } = createBackPressure(pressure)
  const inTurn = createPace(time, MESSAGES)
  const rpc = createRpc({
    port: calls.port1,
    handlerOf: (method) => deps.handlers[method],
    taking: () => void inTurn().then(take),
  })
  answerSyncCalls({ port: sync.port1, bell }, deps.answer, createPace(time, SYNC_CALLS))
  const { promise: ended, resolve } = Promise.withResolvers<Error>()
  let isOver = false

  const fall = () => {
    isOver = true
    watch[Symbol.dispose]()
    sync.port1.close()
    known?.[Symbol.dispose]()
  }
  const end = (reason: Error) => {
    if (isOver) return
    fall()
    rpc.close(reason)
    resolve(reason)
  }
  const kill = (reason: Error) => {
    end(reason)
    void worker.terminate()
  }
  worker.on('error', (error: unknown) => {
    const isMemory = (error as { readonly code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
    end(isMemory ? workerMemory(id, place.memoryMb, during()) : workerEnded(id, messageOf(error), during()))
  })
  worker.on('exit', (code) => end(workerEnded(id, `it exited with code ${code}`, during())))

  let seen = 0
  const known = deps.threads?.add({
    async settle() {
      await rpc.call('settle', []).catch(() => {}) // it is over
      const said = rpc.traffic - seen
      seen = rpc.traffic
      return said > 2 // this call and its answer
    },
    vanish() {
      fall()
      calls.port1.close()
      void worker.terminate()
    },
  })

  const watch = createWatch({
    plugin: id,
    worker,
    call: rpc.call,
    memoryMb: place.memoryMb,
    limits,
    time,
    during,
    kill,
  })

  return { call: rpc.call, tell: rpc.tell, watch: watch.begin, ended, kill }
}
