import type { Random } from 'boltbot/plugin-sdk'

/** 1 s, 2 s, 4 s … 5 min, each 20 % more or less by chance, so that plugins that failed together do not come back together. */
export function backOff(failures: number, random: Random): number {
  return Math.min(1000 * 2 ** (failures - 1), 300_000) * (0.8 + 0.4 * random.next())
}
