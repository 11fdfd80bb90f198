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

const MUCH: Took = { ms: 50, bytes: 64 * 1024 * 1024 }

/** Calls a tap and waits for it, but not for ever. */
export type TapCall = (hook: HookName, run: (context: TapContext) => unknown) => Promise<unknown>

/**
 * Rejects with what the tap threw or rejected with, with `BOLT_HOOKS_DEADLINE` when it hangs, and with `BOLT_HOST_STOPPED` when the
 * plugin goes first. In the last two cases the tap's own signal is aborted with that reason, and what it does later is ignored.
 */
export function createTapCall({ plugin, clock, deadlineMs, signal, took }: TapCallDeps): TapCall {
  return async (hook, run) => {
    if (signal.aborted) throw hostStopped(plugin)
    const abort = new AbortController()
    // Real time: a tap that computes stands still in any other.
    const began = performance.now()
    const held = memory()
    let given: unknown
    try {
      given = run({ signal: abort.signal })
    } finally {
      const ms = performance.now() - began
      const bytes = memory() - held
      if (ms >= MUCH.ms || bytes >= MUCH.bytes) took(hook, { ms, bytes })
    }
    if (!isThenable(given)) return given
    const { promise: cut, reject } = Promise.withResolvers<never>()
    const end = (reason: Error) => {
      reject(reason)
      abort.abort(reason)
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
}

function memory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
