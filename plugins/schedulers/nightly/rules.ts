import type { Decision, SchedulerInput } from 'boltbot/plugin-sdk'
import { type Built, type CollectedTrees, conditionText, momentText, type TimedBuilds } from '../timed-builds.ts'
import type { Timetable } from './timetable.ts'

/**
 * The rule of builds at moments of a timetable, pure. The next moment (*slot*) is in the state: it is run once, and then the one
 * after it is looked up. A slot that passed while the master was down is run when it is back, once however many they were, or not at
 * all without `catchUp`. A slot stands also when the timetable is changed while it is over; else the new timetable counts from then.
 */
export interface NightlyRules {
  readonly initial: NightlyState
  decide(input: SchedulerInput, state: NightlyState, now: number): Decision<NightlyState>
}

export type NightlyState = {
  /** Another scheduler may have had this name before: then its state says another word here, or none. */
  readonly kind: 'nightly'
  /** The slot it waits for. */
  readonly next: number | null
  /** The slot that was over last. */
  readonly last: number | null
  readonly trees: CollectedTrees
}

export interface NightlyRulesOptions {
  readonly timetable: Timetable
  readonly timeZone: string | undefined
  readonly catchUp: boolean
  readonly onlyIfChanged: boolean
  readonly builds: TimedBuilds
}

export function createNightlyRules(options: NightlyRulesOptions): NightlyRules {
  const { timetable, timeZone, catchUp, onlyIfChanged, builds } = options
  const initial: NightlyState = { kind: 'nightly', next: null, last: null, trees: [] }

  const wait = (state: NightlyState): Decision<NightlyState> => {
    if (state.next === null) return { state }
    const when = `${momentText(state.next, timeZone)}${timeZone === undefined ? '' : ` ${timeZone}`}`
    return {
      state,
      wakeAt: state.next,
      waiting: `next build at ${when}${conditionText(state.trees, onlyIfChanged)}`,
    }
  }
  const build = (state: NightlyState, { buildsets, trees }: Built): Decision<NightlyState> => ({
    ...wait({ ...state, trees }),
    buildsets,
  })
  /** Its slot is over. */
  const pass = (state: NightlyState, now: number): NightlyState => goOn({ ...state, last: state.next }, now)
  /** The next slot, never one that was over before: a clock may have been set back, though not for ever by a day it never had. */
  const goOn = (state: NightlyState, now: number): NightlyState => {
    const { last } = state
    const from = last !== null && last > now && last - now < DAY_MS ? last : now
    return { ...state, next: timetable.after(from) }
  }

  return {
    initial,
    decide(input, stored, now) {
      const known = isOwn(stored) ? stored : initial
      const state = onlyIfChanged ? known : { ...known, trees: [] }
      const isOver = state.next !== null && state.next <= now
      switch (input.kind) {
        case 'start':
          if (!isOver) return wait(goOn(state, now))
          return catchUp ? build(pass(state, now), builds.build(state.trees)) : wait(pass(state, now))
        case 'timer':
          return isOver ? build(pass(state, now), builds.build(state.trees)) : wait(state)
        case 'change':
          return wait({ ...state, trees: builds.collect(state.trees, input.change, input.important) })
        case 'now':
          return build(state, builds.buildNow(state.trees))
        default:
          return wait(state)
      }
    },
  }
}

const DAY_MS = 86_400_000

function isOwn(state: NightlyState | null): state is NightlyState {
  return state?.kind === 'nightly'
}
