import { type Eta, isGood, type Result, type StepExpectation } from 'boltbot/plugin-sdk'
import { readStepTimes, type StepTimes } from './store/step-times.ts'
import type { Store } from './store/store.ts'

/**
 * How long steps take, learned from good builds, and when a running build will have ended. A step is expected to take the median of its
 * last times, with the shortest and the longest as range; ranges of several steps add up as independent errors do.
 */
export interface Progress {
  /** What is known of a builder's steps. */
  expected(builder: string): Promise<readonly StepExpectation[]>
  /** For one build of a builder; `isUsed` false: nothing is expected and nothing is learned. */
  of(builder: string, isUsed: boolean): Promise<BuildProgress>
}

/** The times of one build. */
export interface BuildProgress {
  /** Names of all steps that are known to come, in order; again when they change. */
  plan(names: readonly string[]): void
  /** A step has begun to work. */
  begin(name: string, at: number): void
  /** A step has ended; a good one is an example of how long it takes. */
  end(name: string, at: number, result: Result): void
  /** `undefined` while a step to come has never been seen in a good build. */
  eta(now: number): Eta | undefined
  /** What the builder knows when this build was good: to be stored. `null`: nothing new. */
  learned(): StepTimes | null
}

const SAMPLES = 10

export function createProgress(store: Store): Progress {
  /** Builders that were built since the start. */
  const known = new Map<string, StepTimes>()

  async function timesOf(builder: string): Promise<StepTimes> {
    const cached = known.get(builder)
    if (cached !== undefined) return cached
    const stored = await readStepTimes(store.db, builder)
    return known.getOrInsert(builder, stored)
  }

  return {
    async expected(builder) {
      const times = await timesOf(builder)
      return Object.entries(times).map(([name, samples]) => ({ name, ...expectationOf(samples) }))
    },
    async of(builder, isUsed) {
      if (!isUsed) return UNUSED
      await timesOf(builder)
      return track(
        () => known.get(builder) ?? {},
        (times) => void known.set(builder, times),
      )
    },
  }
}

function track(times: () => StepTimes, keep: (times: StepTimes) => void): BuildProgress {
  /** Steps to come, and the running one. */
  let open: readonly string[] = []
  const done = new Set<string>()
  const begun = new Map<string, number>()
  const took = new Map<string, number>()
  const skipped = new Set<string>()
  return {
    plan(names) {
      open = names
    },
    begin: (name, at) => void begun.set(name, at),
    end(name, at, result) {
      done.add(name)
      const since = begun.get(name)
      if (result === 'skipped') skipped.add(name)
      else if (isGood(result) && since !== undefined) took.set(name, Math.max(0, at - since))
    },
    eta(now) {
      const expected = times()
      let [rest, early, late] = [0, 0, 0]
      for (const name of open) {
        if (done.has(name)) continue
        const samples = expected[name]
        if (samples === undefined || samples.length === 0) return undefined
        const elapsed = now - (begun.get(name) ?? now)
        const { median, low, high } = expectationOf(samples)
        const left = Math.max(0, median - elapsed)
        rest += left
        early += (left - Math.max(0, low - elapsed)) ** 2
        late += (Math.max(0, high - elapsed) - left) ** 2
      }
      const at = now + rest
      return { at, low: Math.round(at - Math.sqrt(early)), high: Math.round(at + Math.sqrt(late)) }
    },
    learned() {
      if (took.size + skipped.size === 0) return null
      const before = times()
      const next: Record<string, readonly number[]> = {}
      // In the order of the steps. Those that no build has any more are forgotten; those that this one left out are not.
      for (const name of open) {
        const [known = [], ms] = [before[name], took.get(name)]
        if (ms !== undefined) next[name] = [...known, ms].slice(-SAMPLES)
        else if (known.length > 0) next[name] = known
        // One that was always skipped is expected to be; one that was not says nothing when it is.
        else if (skipped.has(name)) next[name] = [0]
      }
      keep(next)
      return next
    },
  }
}

const UNUSED: BuildProgress = Object.freeze({
  plan() {},
  begin() {},
  end() {},
  eta: () => undefined,
  learned: () => null,
})

function expectationOf(samples: readonly number[]): Omit<StepExpectation, 'name'> {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = Math.round((sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2)
  // With many examples one that was far off is no range.
  const cut = sorted.length >= 5 ? 1 : 0
  return { median, low: sorted[cut]!, high: sorted[sorted.length - 1 - cut]! }
}
