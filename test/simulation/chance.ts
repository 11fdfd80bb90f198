import type { Random } from 'boltbot/plugin-sdk'
import { createSeededRandom } from 'boltbot/plugin-sdk/testing'

/** Seeded choices, in the words of a program of random acts. */
export interface Chance extends Random {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  /** True with this probability. */
  often(probability: number): boolean
  /** @throws RangeError for an empty list. */
  pick<T>(list: readonly T[]): T
  /** One of the values, by weight. */
  weighted<T>(list: readonly (readonly [weight: number, value: T])[]): T
}

export function createChance(seed: number): Chance {
  const { next } = createSeededRandom(seed)
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    often: (probability) => next() < probability,
    pick(list) {
      if (list.length === 0) throw new RangeError('nothing to choose from')
      return list[between(0, list.length - 1)]!
    },
    weighted(list) {
      let left = next() * list.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of list) if ((left -= weight) < 0) return value
      return list.at(-1)![1]
    },
  }
}
