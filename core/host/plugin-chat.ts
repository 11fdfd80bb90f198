import { type ChatCommand, CiError, type Clock } from 'boltbot/plugin-sdk'
import { withDeadline } from './deadline.ts'
import { chatDeadline, chatSuspended } from './errors.ts'
import type { PluginTapsParts } from './plugin-taps.ts'

export interface PluginChatDeps {
  readonly plugin: string
  readonly clock: Clock
  readonly taps: Pick<PluginTapsParts, 'failed' | 'worked' | 'isSuspended'>
  readonly deadlineMs: number
}

/** A plugin's command with a deadline, counted on its budget: what it throws but `CiError`s is its failure. */
export function guardChatCommand(
  { name, run }: ChatCommand,
  { plugin, clock, taps, deadlineMs }: PluginChatDeps,
): ChatCommand['run'] {
  return async (call) => {
    if (taps.isSuspended()) throw chatSuspended(plugin, name)
    const late = () => chatDeadline(plugin, name, deadlineMs)
    try {
      const answer = await withDeadline(Promise.try(run, call), { clock, ms: deadlineMs, late, signal: call.signal })
      taps.worked()
      return answer
    } catch (error) {
      const refused = error instanceof CiError && error.code !== 'BOLT_HOST_CHAT_DEADLINE'
      if (!refused && !call.signal.aborted) taps.failed('chat command', error)
      throw error
    }
  }
}
