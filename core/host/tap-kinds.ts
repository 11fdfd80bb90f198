import { CiError, deepFreeze, type HookEvent, type HookName, type RefineHook } from 'boltbot/plugin-sdk'
import { badChoice, guardAway, guardFailed, refinedNothing, refineFailed } from './errors.ts'
import type { AnyTap } from './mailbox.ts'
import type { TapCalls } from './tap-calls.ts'

export interface TapKindDeps {
  readonly plugin: string
  readonly call: TapCalls['call']
  /** Why the plugin cannot be asked now; `null`: it can. */
  readonly away: () => 'suspended' | 'stopped' | null
  readonly worked: (hook: HookName) => void
  /** Reports a failure of the plugin: logs, counts. */
  readonly failed: (hook: HookName, error: unknown) => void
}

/** What a failing, hanging or absent tap means for its caller, by kind of hook. Observers go by the mailbox instead. */
export function createTapKinds({ plugin, call, away, worked, failed }: TapKindDeps) {
  return {
    /** A failure rejects the one item; no plugin, no change. */
    refine: async (hook: RefineHook, tap: AnyTap, event: HookEvent<RefineHook>): Promise<unknown> => {
      if (away()) return undefined
      try {
        const value = await call(hook, tap, event)
        if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) {
          throw refinedNothing(plugin, hook, value)
        }
        worked(hook)
        return value && deepFreeze({ ...value, source: event.source }) // who hands in is not the tap's to alter
      } catch (error) {
        // A coded error is how a tap rejects on purpose; it is no failure of the plugin.
        if (isOwnRefusal(error)) worked(hook)
        else failed(hook, error)
        throw error instanceof CiError && error.code === 'BOLT_HOOKS_REFINE_VALUE'
          ? error
          : refineFailed(plugin, hook, error)
      }
    },
    /** A failure, or an answer that was not offered, is no answer: the next tap is asked, in the end core decides. */
    choose: async (hook: 'chooseRequest' | 'chooseSlave', tap: AnyTap, event: unknown): Promise<unknown> => {
      if (away()) return undefined
      try {
        const value = await call(hook, tap, event)
        if (value !== undefined && !OFFERED[hook](event as never, value)) throw badChoice(plugin, hook, value)
        worked(hook)
        return value
      } catch (error) {
        failed(hook, error)
        return undefined
      }
    },
    /** A coded error is the refusal; any other failure is closed too, as is a guard that is away. */
    guard: async (hook: 'guardAction', tap: AnyTap, event: unknown): Promise<void> => {
      const why = away()
      if (why) throw guardAway(plugin, hook, why)
      try {
        await call(hook, tap, event)
      } catch (error) {
        if (isOwnRefusal(error)) {
          worked(hook)
          throw error
        }
        failed(hook, error)
        throw guardFailed(plugin, hook, error)
      }
      worked(hook)
    },
  }
}

const OFFERED: {
  readonly [Name in 'chooseRequest' | 'chooseSlave']: (event: HookEvent<Name>, value: unknown) => boolean
} = {
  chooseRequest: (event, value) => event.requests.some((request) => request.id === value),
  chooseSlave: (event, value) => event.slaves.some((slave) => slave === value),
}

/** A CiError the tap made itself, not one that says how the call went. */
function isOwnRefusal(error: unknown): boolean {
  return error instanceof CiError && !CALL_FAILURES.includes(error.code)
}

const CALL_FAILURES: readonly string[] = [
  'BOLT_HOOKS_DEADLINE',
  'BOLT_HOST_STOPPED',
  'BOLT_HOOKS_REFINE_VALUE',
  'BOLT_HOST_WORKER_BLOCKED',
  'BOLT_HOST_WORKER_MEMORY',
  'BOLT_HOST_WORKER_ENDED',
]
