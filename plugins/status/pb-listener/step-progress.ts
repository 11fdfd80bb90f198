import type { Host, StepView } from 'boltbot/plugin-sdk'
import { Tuple, type Value } from '../../../wire/pb/values.ts'

export interface StepProgress {
  /** Seconds from now; `null`: nobody knows. */
  readonly eta: number | null
  /** What is counted, how much there is, how much there will be: ours counts time. */
  readonly expectations: Value[]
}

/** How far a running step is, by what it took in good builds. */
export async function expectationsOf(
  { name, startedAt, finishedAt }: Pick<StepView, 'name' | 'startedAt' | 'finishedAt'>,
  builder: string,
  { query, clock }: Pick<Host, 'query' | 'clock'>,
): Promise<StepProgress> {
  const known = (await query.expectations(builder)).find((one) => one.name === name)
  if (known === undefined || finishedAt !== null) return { eta: null, expectations: [] }
  const elapsed = clock.now() - startedAt
  return {
    eta: Math.max(0, (known.median - elapsed) / 1000),
    expectations: [new Tuple(['time', elapsed / 1000, known.median / 1000])],
  }
}
