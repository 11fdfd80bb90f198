import type { Clock } from 'boltbot/plugin-sdk'

/**
 * Pages for a moment: when something happens, all who have a page open ask for it at once, and it is made once. A page is never older
 * than `KEEP_MS`; live streams wait longer than that before they tell, so that nobody who was told gets one from before.
 */
export interface PageCache<Page> {
  get(key: string, make: () => Promise<Page>): Promise<Page>
  /** Somebody has done something, and wants to see it done. */
  clear(): void
}

export const KEEP_MS = 300
const MOST = 200

export function createPageCache<Page>(clock: Pick<Clock, 'now'>): PageCache<Page> {
  const kept = new Map<string, { readonly at: number; readonly page: Promise<Page> }>()
  return {
    get(key, make) {
      const now = clock.now()
      const found = kept.get(key)
      if (found !== undefined && now - found.at < KEEP_MS) return found.page
      for (const [old, { at }] of kept) if (now - at >= KEEP_MS || kept.size >= MOST) kept.delete(old)
      const page = make()
      kept.set(key, { at: now, page })
      page.catch(() => kept.delete(key)) // told to whoever asked
      return page
    },
    clear: () => kept.clear(),
  }
}
