import { CRASH_LIMITS } from './crash-budget.ts'
import type { PluginLimits } from './plugin-scope.ts'

export const LIMITS: PluginLimits = Object.freeze({
  tapMs: 30_000,
  startMs: 30_000,
  drainMs: 5000,
  disposeMs: 5000,
  mailbox: 10_000,
  crash: CRASH_LIMITS,
  blockMs: 5000,
  leakBytes: 256 * 1024 * 1024,
  worker: {
    beatMs: 1000,
    beats: 5,
    computeMs: 2000,
    lookMs: 50,
    ends: { consecutive: 5, inWindow: 5, windowMs: 600_000 },
    calls: { burst: 2000, perSecond: 100 },
    writes: { burst: 500, perSecond: 50 },
  },
})
