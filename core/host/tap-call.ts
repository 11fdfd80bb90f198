import { getHeapStatistics } from 'node:v8'
import type { Clock, HookName, TapContext } from 'boltbot/plugin-sdk'
import { hostStopped, tapDeadline } from './errors.ts'

export interface TapCallDeps {
  readonly plugin: string
  readonly clock: Clock
  readonly deadlineMs: number
  /** Aborted when the plugin's taps are not waited for any longer. */
  readonly signal: AbortSignal
  /** What each call kept from everybody else before it gave the event loop back; told when it is much. */
  readonly took: (hook: HookName, took: Took) => void
}

export interface Took {
  readonly ms: number
  /** By which it grew the memory of the process. */
  readonly bytes: number
}

/** A call that took less has not made much of anything. */
const LONG_MS = 20
const SAMPLE_MS = 1000

/** Calls a tap: gives what it gave, or throws what it threw, at once; a promise of that when it is async, and then not for ever. */
export type TapCall = (hook: HookName, run: (context: TapContext) => unknown) => unknown

/**
 * Fails with what the tap threw or rejected with, with `BOLT_HOOKS_DEADLINE` when it hangs, and with `BOLT_HOST_STOPPED` when the
 * plugin goes first. In the last two cases the tap's own signal is aborted with that reason, and what it does later is ignored.
 */
export function createTapCall({ plugin, clock, deadlineMs, signal, took }: TapCallDeps): TapCall {
  let held = 0
  let sampledAt = Number.NEGATIVE_INFINITY

  const inTime = async (hook: HookName, given: PromiseLike<unknown>, context: Context): Promise<unknown> => {
    const { promise: cut, reject } = Promise.withResolvers<never>()
    const end = (reason: Error) => {
      reject(reason)
      context.abort(reason)
    }
    const stop = () => end(hostStopped(plugin))
    const timer = clock.timer(deadlineMs, () => end(tapDeadline(plugin, hook, deadlineMs)))
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await Promise.race([given, cut])
    } finally {
      timer[Symbol.dispose]()
      signal.removeEventListener('abort', stop)
    }
  }
  return (hook, run) => {
    if (signal.aborted) throw hostStopped(plugin)
    // Real time: a tap that computes stands still in any other.
    const began = performance.now()
    if (began - sampledAt > SAMPLE_MS) {
      held = memory()
      sampledAt = began
    }
    const context = createContext()
    let given: unknown
    try {
      given = run(context)
    } finally {
      const ms = performance.now() - began
      if (ms >= LONG_MS) took(hook, { ms, bytes: memory() - held })
    }
    return isThenable(given) ? inTime(hook, given, context) : given
  }
}

interface Context extends TapContext {
  abort(reason: Error): void
}

/** Most taps never look at their signal: it is made when they do. */
function createContext(): Context {
  let controller: AbortController | undefined
  let over: Error | undefined
  return {
    get signal() {
      controller ??= new AbortController()
      if (over !== undefined) controller.abort(over)
      return controller.signal
    },
    abort(reason) {
      over = reason
      controller?.abort(reason)
    },
  }
}

function memory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
