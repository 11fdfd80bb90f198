import type { Clock, Host, Log, Random } from 'boltbot/plugin-sdk'
import { createClock } from '../../clock.ts'
import type { PluginSpec, WorkerSpec } from '../../config/model.ts'
import type { PluginTapsParts } from '../plugin-taps.ts'
import { openPluginWorker, type PluginWorker, type WorkerLimits } from './plugin-worker.ts'
import type { Threads } from './threads.ts'

export interface LoadDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly host: Host
  readonly taps: Pick<PluginTapsParts, 'failed' | 'suspend'>
  readonly limits: { readonly startMs: number; readonly disposeMs: number; readonly worker: WorkerLimits }
  readonly stopping: AbortSignal
  readonly threads?: Threads | undefined
}

/** The worker of one plugin, whose misdeeds are counted as those of its taps. */
export function loadInWorker(
  spec: PluginSpec & { readonly worker: WorkerSpec },
  deps: LoadDeps,
): Promise<PluginWorker> {
  const { taps, limits } = deps
  return openPluginWorker({
    ...deps,
    spec,
    time: createClock(deps.log),
    limits: limits.worker,
    startMs: limits.startMs,
    disposeMs: limits.disposeMs,
    failed: (error) => taps.failed('timer', error),
    suspended: (reason) => taps.suspend(reason),
  })
}
