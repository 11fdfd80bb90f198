import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from 'boltbot/plugin-sdk'
import { changeFlood, pluginSuspended } from './errors.ts'
import type { PluginTapsParts } from './plugin-taps.ts'

/** A poller that finds years of history hands in fewer. */
const MOST = 20_000
const WINDOW_MS = 600_000

/**
 * Lets a plugin hand in so many changes in ten minutes; more are refused, and count as failures of the plugin, so that one that does not
 * stop is suspended. A refusal waits for the next turn of the event loop: who tries again at once, for ever, must not keep others from theirs.
 */
export function createFloodGate({
  plugin,
  clock,
  taps,
}: {
  readonly plugin: string
  readonly clock: Pick<Clock, 'now'>
  readonly taps: Pick<PluginTapsParts, 'failed' | 'isSuspended'>
}): () => Promise<void> {
  let since = clock.now()
  let count = 0
  return async () => {
    const now = clock.now()
    if (now - since >= WINDOW_MS) {
      since = now
      count = 0
    }
    if (++count <= MOST && !taps.isSuspended()) return
    await nextTurn()
    if (taps.isSuspended()) throw pluginSuspended(plugin)
    const flood = changeFlood(plugin, MOST, WINDOW_MS)
    taps.failed('submitChange', flood)
    throw flood
  }
}
