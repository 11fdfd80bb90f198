import type { Worker } from 'node:worker_threads'
import type { Clock } from 'boltbot/plugin-sdk'
import { workerBlocked, workerMemory } from './errors.ts'
import type { Rpc } from './rpc.ts'

/** Looks at the thread of a plugin from outside, as that works for one that computes without end too, and ends one that runs away. */
export interface Watch extends Disposable {
  begin(): void
}

export interface WatchLimits {
  readonly beatMs: number
  /** So many beats in a row without an answer are the end. A beat that the master itself was late for counts once. */
  readonly beats: number
  /** So much time of a core without an answer is, too: a thread that only waits for a core is not blamed. */
  readonly computeMs: number
  /** How often its memory and its time are looked at. */
  readonly lookMs: number
}

export interface WatchDeps {
  readonly plugin: string
  readonly worker: Pick<Worker, 'getHeapStatistics' | 'cpuUsage'>
  readonly call: Rpc['call']
  readonly memoryMb: number
  readonly limits: WatchLimits
  readonly time: Clock
  /** What it does at present, for the reason of its end. */
  readonly during: () => readonly string[]
  readonly kill: (reason: Error) => void
}

const MIB = 1024 * 1024
/** Looks in a row at which a thread that does not answer may be over its limit: some of it may be garbage. */
const OVER = 10

/** MB of heap at which the engine itself ends a thread. Far above what is watched: there it may end the whole process. */
export const engineLimit = (memoryMb: number): number => 2 * memoryMb + 1024

export function createWatch({ plugin, worker, call, memoryMb, limits, time, during, kill }: WatchDeps): Watch {
  let isOver = false
  let beat: Disposable | undefined
  let nextLook: Disposable | undefined

  let silent = 0
  let isAsked = false
  let wasHeard = true
  const listen = () => {
    if (isOver) return
    if (isAsked && ++silent >= limits.beats)
      return kill(workerBlocked(plugin, 'was silent', limits.beats * limits.beatMs, during()))
    if (!isAsked) void ask()
    beat = time.timer(limits.beatMs, listen)
  }
  const ask = async () => {
    isAsked = true
    await call('beat', []).catch(() => {}) // it is over
    isAsked = false
    silent = 0
    wasHeard = true
  }

  let computedMs = 0
  const look = async () => {
    const found = await Promise.all([worker.getHeapStatistics(), worker.cpuUsage()]).catch(() => undefined) // it is over
    if (found === undefined || isOver) return
    const [{ used_heap_size: heap, external_memory: external }, { user, system }] = found
    weigh(heap + external)
    if (isOver) return
    const ms = (user + system) / 1000
    if (wasHeard) computedMs = ms
    wasHeard = false
    if (ms - computedMs >= limits.computeMs) return kill(workerBlocked(plugin, 'computed', limits.computeMs, during()))
    nextLook = time.timer(limits.lookMs, () => void look())
  }
  let overs = 0
  let isCollecting = false
  let isCollected = false
  /** The engine's own limit does not see what is outside of the heap, and what is garbage counts until it is collected. */
  const weigh = (bytes: number) => {
    if (bytes <= memoryMb * MIB) {
      overs = 0
      isCollected = false
      return
    }
    if (++overs > OVER || isCollected || bytes > 2 * memoryMb * MIB) kill(workerMemory(plugin, memoryMb, during()))
    else if (!isCollecting) void collect()
  }
  const collect = async () => {
    isCollecting = true
    await call('collect', []).catch(() => {}) // it is over
    isCollecting = false
    isCollected = true
  }

  return {
    begin() {
      listen()
      void look()
    },
    [Symbol.dispose]() {
      isOver = true
      beat?.[Symbol.dispose]()
      nextLook?.[Symbol.dispose]()
    },
  }
}
