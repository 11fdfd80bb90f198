import type { Decision, SchedulerInput } from 'boltbot/plugin-sdk'
import { type Built, type CollectedTrees, conditionText, momentText, type TimedBuilds } from '../timed-builds.ts'

/**
 * The rule of a build every so often, pure. The period counts from when the last build was asked for, whatever asked for it; a
 * master that was down when it was over builds once when it is back, and counts from then. The first build comes at once. With
 * `onlyIfChanged` it looks once a period whether there is anything to build.
 */
export interface PeriodicRules {
  readonly initial: PeriodicState
  decide(input: SchedulerInput, state: PeriodicState, now: number): Decision<PeriodicState>
}

export type PeriodicState = {
  /** Another scheduler may have had this name before: then its state says another word here, or none. */
  readonly kind: 'periodic'
  /** When it built, or looked, last. */
  readonly last: number | null
  readonly trees: CollectedTrees
}

export interface PeriodicRulesOptions {
  readonly periodMs: number
  readonly onlyIfChanged: boolean
  readonly builds: TimedBuilds
}

export function createPeriodicRules({ periodMs, onlyIfChanged, builds }: PeriodicRulesOptions): PeriodicRules {
  const initial: PeriodicState = { kind: 'periodic', last: null, trees: [] }

  const wait = (state: PeriodicState): Decision<PeriodicState> => {
    if (state.last === null) return { state }
    const wakeAt = state.last + periodMs
    return { state, wakeAt, waiting: `next build at ${momentText(wakeAt)}${conditionText(state.trees, onlyIfChanged)}` }
  }
  const build = ({ buildsets, trees }: Built, now: number): Decision<PeriodicState> => ({
    ...wait({ ...initial, last: now, trees }),
    buildsets,
  })

  return {
    initial,
    decide(input, stored, now) {
      const known = isOwn(stored) ? stored : initial
      // A clock that was set back must not make it wait for the old time to come again.
      const last = known.last === null ? null : Math.min(known.last, now)
      const state = { ...known, last, trees: onlyIfChanged ? known.trees : [] }
      switch (input.kind) {
        case 'change':
          return wait({ ...state, trees: builds.collect(state.trees, input.change, input.important) })
        case 'start':
        case 'timer':
          return last === null || last + periodMs <= now ? build(builds.build(state.trees), now) : wait(state)
        case 'now':
          return build(builds.buildNow(state.trees), now)
        default:
          return wait(state)
      }
    },
  }
}

function isOwn(state: PeriodicState | null): state is PeriodicState {
  return state?.kind === 'periodic'
}
