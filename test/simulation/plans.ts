import type { Clock } from 'boltbot/plugin-sdk'
import { hashOf, type Plan } from './plan.ts'

/** The configs of a simulation: the one that is wanted, and those there were. */
export interface Plans {
  readonly now: Plan
  /** Every one of the time since. */
  since(moment: number): readonly Plan[]
  ofHash(hash: string): Plan
  use(next: Plan): void
  /** Uses one that may be refused: until `keep`, `putBack` takes it back. */
  attempt(next: Plan): void
  keep(): void
  putBack(): void
}

export function createPlans(clock: Clock, first: Plan): Plans {
  let now = first
  let all: { readonly at: number; readonly plan: Plan }[] = [{ at: clock.now(), plan: first }]
  let before: Plan | undefined
  const kept = new Map([[hashOf(first), first]])
  const plans: Plans = {
    get now() {
      return now
    },
    since(moment) {
      const from = all.findLastIndex(({ at }) => at <= moment)
      all = all.slice(Math.max(0, from))
      return all.map((one) => one.plan)
    },
    ofHash: (hash) => kept.get(hash)!,
    use(next) {
      now = next
      all.push({ at: clock.now(), plan: next })
      kept.set(hashOf(next), next)
    },
    attempt(next) {
      before = now
      plans.use(next)
    },
    keep() {
      before = undefined
    },
    putBack() {
      if (before !== undefined) plans.use(before)
      before = undefined
    },
  }
  return plans
}
