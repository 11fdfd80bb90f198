import { type Decision, isJson, type Json, type SchedulerInput, type SchedulerRules } from 'boltbot/plugin-sdk'
import { wrongDecision } from './errors.ts'

/**
 * What the rules decide, looked at before it is stored: what a plugin gives is nobody's type.
 * @throws CiError `BOLT_SCHEDULING_DECISION`.
 */
export function decideBy(rules: SchedulerRules, input: SchedulerInput, state: Json, now: number): Decision<Json> {
  const given: unknown = rules.decide(input, state, now)
  const problem = problemOf(given, state)
  if (problem !== undefined) throw wrongDecision(rules.name, problem)
  return given as Decision<Json>
}

function problemOf(given: unknown, before: Json): string | undefined {
  if (given instanceof Promise) {
    given.catch(() => {}) // it is refused, whatever comes of it
    return 'is async, and must be synchronous'
  }
  if (typeof given !== 'object' || given === null) return `gave ${given === undefined ? 'nothing' : String(given)}`
  const { state, buildsets, wakeAt } = given as Readonly<Record<string, unknown>>
  if (state === undefined) return 'gave no state'
  if (state !== before && !isJson(state)) return 'gave a state that is not JSON'
  if (buildsets !== undefined && !Array.isArray(buildsets)) return 'gave buildsets that are no list'
  if (wakeAt !== undefined && wakeAt !== null && !Number.isFinite(wakeAt)) return 'gave a wakeAt that is no time'
  return undefined
}
