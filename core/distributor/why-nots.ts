import type { Clock, Log, WhyNot } from 'boltbot/plugin-sdk'
import type { Store } from '../store/store.ts'
import { forgetWhyNots, saveWhyNots } from '../store/why-nots.ts'

/** Why the head of each builder's queue waits: known at once, stored a little later, together with others. */
export interface WhyNots {
  get(builder: string): WhyNot | undefined
  /** `null`: nothing waits. */
  set(builder: string, why: WhyNot | null): void
  /** Forgets what a previous process stored. */
  start(): Promise<void>
  /** Stores the last. */
  stop(): Promise<void>
}

/** Of a request that waits after a lost slave. */
export function waitsForRetry(at: number): WhyNot {
  return { code: 'retry-delay', text: `its slave was lost; next try at ${new Date(at).toISOString()}` }
}

const SAVE_MS = 50
const SAVE_AGAIN_MS = 5000

export function createWhyNots(deps: { readonly store: Store; readonly clock: Clock; readonly log: Log }): WhyNots {
  const { store, clock, log } = deps
  const known = new Map<string, WhyNot>()
  const unsaved = new Map<string, WhyNot | null>()
  let timer: Disposable | undefined
  let open = false

  function saveIn(ms: number): void {
    timer ??= clock.timer(ms, () => {
      timer = undefined
      void save()
    })
  }

  async function save(): Promise<void> {
    const reasons = new Map(unsaved)
    unsaved.clear()
    try {
      await saveWhyNots(store, reasons)
    } catch (error) {
      log.warn('why-nots not stored', { error })
      for (const [builder, why] of reasons) if (!unsaved.has(builder)) unsaved.set(builder, why)
      if (open) saveIn(SAVE_AGAIN_MS)
    }
  }

  return {
    get: (builder) => known.get(builder),
    set(builder, why) {
      if (known.get(builder)?.text === why?.text) return
      if (why === null) known.delete(builder)
      else known.set(builder, why)
      unsaved.set(builder, why)
      if (open) saveIn(SAVE_MS)
    },
    async start() {
      open = true
      await forgetWhyNots(store)
    },
    async stop() {
      open = false
      timer?.[Symbol.dispose]()
      if (unsaved.size > 0) await save()
    },
  }
}
