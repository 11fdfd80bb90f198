import assert from 'node:assert/strict'
import { deepFreeze, isJson, type Json } from '../../json.ts'
import type { Change } from '../../model.ts'
import type { SchedulerBuildset, SchedulerInput, SchedulerRules } from '../../scheduler.ts'

/** The rules of a scheduler, run as core runs them, with every decision looked at. */
export interface RulesRun {
  /** Clock time. */
  readonly now: number
  /** All it asked for so far, with when. */
  readonly built: readonly (SchedulerBuildset & { readonly at: number })[]
  feed(input: SchedulerInput): void
  /** Resolves when it has seen the change, if it wants it. */
  change(change: Change): Promise<void>
  /** Moves on; timers that come due fire in time. */
  until(now: number): void
  /** The same after a start of the master: it has the state, and wakes when it was to. */
  again(rules: SchedulerRules): RulesRun
}

/** More wakes than this in one wait are no schedule. */
const MOST_WAKES = 100_000

export function followRules(rules: SchedulerRules, before?: Left): RulesRun {
  const built = [...(before?.built ?? [])]
  const seen = new Set(before?.seen)
  let now = before?.now ?? 1_000_000_000_000
  let state = before?.state ?? stored(rules.initial)
  let wakeAt = before?.wakeAt ?? null

  const run: RulesRun = {
    get now() {
      return now
    },
    built,
    feed(given) {
      const input = deepFreeze(structuredClone(given))
      const frozen = deepFreeze(structuredClone(state))
      const decision = rules.decide(input, frozen, now)
      assert.deepEqual(rules.decide(input, frozen, now), decision, `decides the same twice for "${input.kind}"`)
      assert.ok(isJson(decision.state), `its state is JSON data behind "${input.kind}"`)
      const { waiting = null, buildsets = [] } = decision
      assert.ok(waiting === null || typeof waiting === 'string', '"waiting" is a text or null')
      assert.ok(decision.wakeAt == null || Number.isFinite(decision.wakeAt), '"wakeAt" is a clock time or null')
      for (const buildset of buildsets) {
        const strangers = (buildset.changes ?? []).filter((id) => !seen.has(id))
        assert.deepEqual(strangers, [], 'it asks only for changes it was given')
        const others = (buildset.builders ?? []).filter((name) => !rules.builders.includes(name))
        assert.deepEqual(others, [], 'it asks only for its own builders')
        built.push({ ...buildset, at: now })
      }
      state = stored(decision.state)
      wakeAt = decision.wakeAt ?? null
    },
    async change(change) {
      const wanted = rules.wants === undefined ? true : await rules.wants(deepFreeze(structuredClone(change)))
      if (wanted === false) return
      seen.add(change.id)
      run.feed({ kind: 'change', change, important: wanted === true })
    },
    until(end) {
      let wakes = 0
      while (wakeAt !== null && wakeAt <= end) {
        now = Math.max(now, wakeAt)
        run.feed({ kind: 'timer' })
        assert.ok(++wakes <= MOST_WAKES, 'it wakes without end')
      }
      now = end
    },
    again(next) {
      const one = followRules(next, { built, seen, now, state, wakeAt })
      one.feed({ kind: 'start' })
      return one
    },
  }
  return run
}

/** What the store keeps over a start. */
interface Left {
  readonly built: RulesRun['built']
  readonly seen: ReadonlySet<number>
  readonly now: number
  readonly state: Json
  readonly wakeAt: number | null
}

const stored = (state: Json): Json => JSON.parse(JSON.stringify(state)) as Json
