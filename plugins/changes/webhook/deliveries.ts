import { createHash } from 'node:crypto'
import type { Host } from 'boltbot/plugin-sdk'

/** Which deliveries were taken, as far back as it goes: what is sent again stores nothing. */
export interface Deliveries {
  has(delivery: string): Promise<boolean>
  add(delivery: string): Promise<void>
}

const KEPT = 1000
const KEY = 'deliveries'

export function createDeliveries({ state }: Pick<Host, 'state'>): Deliveries {
  let known: Set<string> | undefined
  const load = async () => (known ??= new Set((await state.get(KEY)) as string[] | undefined)) // as saved
  return {
    has: async (delivery) => (await load()).has(shortened(delivery)),
    async add(delivery) {
      const all = await load()
      all.add(shortened(delivery))
      for (const oldest of all) {
        if (all.size <= KEPT) break
        all.delete(oldest)
      }
      await state.set(KEY, [...all])
    },
  }
}

const shortened = (delivery: string) => createHash('sha256').update(delivery).digest('base64url').slice(0, 22)
