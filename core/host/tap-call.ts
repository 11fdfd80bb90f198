import type { Clock, HookName, TapContext } from 'boltbot/plugin-sdk'
import { hostStopped, tapDeadline } from './errors.ts'

export interface TapCallDeps {
  readonly plugin: string
  readonly clock: Clock
  readonly deadlineMs: number
  /** Aborted when the plugin's taps are not waited for any longer. */
  readonly signal: AbortSignal
}

/** Calls a tap and waits for it, but not for ever. */
export type TapCall = (hook: HookName, run: (context: TapContext) => unknown) => Promise<unknown>

/**
 * Rejects with what the tap threw or rejected with, with `BOLT_HOOKS_DEADLINE` when it hangs, and with `BOLT_HOST_STOPPED` when the
 * plugin goes first. In the last two cases the tap's own signal is aborted with that reason, and what it does later is ignored.
 */
export function createTapCall({ plugin, clock, deadlineMs, signal }: TapCallDeps): TapCall {
  return async (hook, run) => {
    if (signal.aborted) throw hostStopped(plugin)
    const abort = new AbortController()
    const given = run({ signal: abort.signal })
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
