import { median } from './report.ts'

export interface Pairs {
  readonly pairs: number
  /** Gives one number, from a short round. */
  readonly ours: () => Promise<number>
  readonly against: () => Promise<number>
}

/**
 * Two things measured in turns, each of them first as often as second: a machine that has other things to do is slow for both. The ratio is the
 * median of the pairs'.
 */
export async function inPairs({ pairs, ours, against }: Pairs) {
  const values = { ours: [] as number[], against: [] as number[] }
  const take = async (which: keyof typeof values) => values[which].push(await { ours, against }[which]())
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? (['ours', 'against'] as const) : (['against', 'ours'] as const)
    for (const which of order) await take(which)
  }
  return {
    ours: median(values.ours),
    against: median(values.against),
    ratio: median(values.ours.map((value, pair) => value / values.against[pair]!)),
  }
}
