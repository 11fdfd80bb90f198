import type { Clock, Log } from 'boltbot/plugin-sdk'
import { keepLastHeard } from '../store/slaves.ts'
import type { Store } from '../store/store.ts'

const KEEP_MS = 5 * 60_000

/** Notes now and then when connected slaves were last heard of: a master that is killed cannot. Disposing ends it. */
export function noteHeard(
  deps: { readonly store: Store; readonly clock: Clock; readonly log: Log },
  heard: () => ReadonlyMap<string, number>,
): Disposable {
  const { store, clock, log } = deps
  let timer: Disposable | undefined
  const again = () => {
    timer = clock.timer(KEEP_MS, () => {
      again()
      const now = heard()
      if (now.size === 0) return
      keepLastHeard(store, now).catch((error: unknown) => log.warn('last signs of life not stored', { error }))
    })
  }
  again()
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
}
