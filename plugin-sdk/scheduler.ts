import type { FormField, FormValues } from './force-form.ts'
import type { Json } from './json.ts'
import type { BuildsetInput, Change, SourceStamp } from './model.ts'
import type { Result } from './results.ts'

/**
 * A scheduler as core runs it: a pure decision over its own stored state. Core feeds it one input at a time and stores the
 * new state, the created buildsets and the position in the stream of changes in **one transaction**: each change reaches each
 * scheduler exactly once, over crashes and restarts. `decide` must not do I/O and must not keep anything outside `state`.
 *
 * @example
 * host.registerScheduler({
 *   name: 'each', builders: ['full'], initial: { seen: 0 },
 *   wants: (change) => change.branch === 'main',
 *   decide: (input, { seen }) => input.kind === 'change'
 *     ? { state: { seen: seen + 1 }, buildsets: [{ reason: `change ${input.change.id}`, changes: [input.change.id] }] }
 *     : { state: { seen } },
 * })
 */
export interface SchedulerRules<State extends Json = Json> {
  /** Unique; the stored state belongs to it. */
  readonly name: string
  /** Builder names its buildsets go to. */
  readonly builders: readonly string[]
  /** Names of schedulers whose finished buildsets it is told of; default none. */
  readonly follows?: readonly string[]
  /** True: `trigger` steps may ask it for builds; default false. */
  readonly triggerable?: boolean
  /** What people fill in to have it build; left out: they cannot. What they gave comes as input `force`, checked. */
  readonly form?: readonly FormField[]
  /** State before the first input. */
  readonly initial: State
  /**
   * Is this change for this scheduler, and does it matter? May be async. `false`: not at all; `'unimportant'`: it is built
   * with the next important one; `true`: important. A throw counts as `true` and is reported. Default: every change.
   */
  wants?(change: Change): Wanted | Promise<Wanted>
  /** Called for each input, one at a time, with the state as it was stored and the clock time. Synchronous and pure. A throw is logged, and the input passed over. */
  decide(input: SchedulerInput, state: State, now: number): Decision<State>
}

/** Whether a change is for a scheduler: no, yes, or only together with others. */
export type Wanted = boolean | 'unimportant'

/** What a scheduler is fed with, one at a time, by `kind`. */
export type SchedulerInput =
  /**
   * It begins: the first input after a start of the master, and after its options changed, once it has seen the changes that came
   * meanwhile. For schedulers that wake by themselves.
   */
  | { readonly kind: 'start' }
  /** A wanted change; `important` is what `wants` said. */
  | { readonly kind: 'change'; readonly change: Change; readonly important: boolean }
  /** The time of `wakeAt` has come. Also given after `start` when it passed while the master was down and was not put off. */
  | { readonly kind: 'timer' }
  /** Somebody asked not to wait any longer. */
  | { readonly kind: 'now' }
  /** A buildset of another scheduler finished. */
  | {
      readonly kind: 'buildset'
      readonly scheduler: string
      readonly result: Result
      /** What it was built from. */
      readonly sourceStamp: SourceStamp
      readonly changes: readonly Change[]
    }
  /** A step of a build asks; only given when the rules are `triggerable`. */
  | {
      readonly kind: 'trigger'
      readonly reason: string
      readonly sourceStamp: Partial<SourceStamp>
      readonly properties: Readonly<Record<string, Json>>
      /** Names the order; the first buildset of the decision is found by it when the step asks again after a restart. */
      readonly key?: string
    }
  /** A person asks; only given when the rules have a `form`. */
  | {
      readonly kind: 'force'
      readonly who: string
      /** Empty: all of the scheduler. */
      readonly builders: readonly string[]
      /** A value for each field. */
      readonly values: FormValues
    }

/** What {@link SchedulerRules.decide} gives: stored as a whole, or not at all. */
export interface Decision<State extends Json> {
  readonly state: State
  /** Buildsets to create now. `builders` defaults to the scheduler's own; `changes` are ids of changes it was given. */
  readonly buildsets?: readonly SchedulerBuildset[]
  /** Clock time of the next `timer` input; `null` or left out: none. */
  readonly wakeAt?: number | null
  /** Why nothing is built yet, for people: `tree not stable, 2 changes wait`. */
  readonly waiting?: string | null
}

/** The source stamp is made from `changes` (branch and revision of the newest) unless given. */
export type SchedulerBuildset = Omit<BuildsetInput, 'builders' | 'scheduler'> & {
  readonly builders?: readonly string[]
  readonly changes?: readonly number[]
}
