import type { Random } from '../clock.ts'

/**
 * Chance that repeats: equal seeds give equal numbers, on every machine. Print the seed when a test fails.
 * @example const random = createSeededRandom(42)
 */
export function createSeededRandom(seed: number): Random {
  // mulberry32: 32 bits of state are plenty for a test's schedule.
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
