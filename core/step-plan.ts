import {
  type BuildInfo,
  isJson,
  type Json,
  type LockAccess,
  masterLock,
  type Step,
  slaveLock,
} from 'boltbot/plugin-sdk'
import { checkChosenSteps } from './config/check-chosen-steps.ts'
import type { BuilderSpec } from './config/model.ts'
import { stepsForgotten, stepsInvalid, stepsTooMany } from './errors.ts'
import type { StepRecord } from './store/step-plans.ts'

/** The steps of one build: those of its builder, or chosen for it, and what running steps added. */
export interface StepPlan {
  /** In order; those behind the running one may still grow. */
  readonly steps: readonly PlannedStep[]
  /** Puts steps behind the one at `index`, and behind what it added before. @throws CiError `BOLT_STEPS_INVALID`, `BOLT_STEPS_TOO_MANY`. */
  add(index: number, steps: readonly Step[]): void
  /** To be stored whenever it is not just the builder's own list. */
  records(): readonly StepRecord[]
}

export interface PlannedStep {
  /** With the options its schema gave. */
  readonly step: Step
  /** Unique in the build. */
  readonly name: string
  readonly addedBy: string | null
}

const MAX_STEPS = 1000

/** The plan a build begins with. @throws CiError `BOLT_STEPS_INVALID`, and what a function of the config throws. */
export async function planSteps(spec: BuilderSpec, info: () => Promise<BuildInfo>): Promise<StepPlan> {
  if (spec.chooseSteps === null) return createPlan(spec.steps, spec.steps)
  const given = await spec.chooseSteps(await info())
  const { steps, problems } = checkChosenSteps('factory', given)
  if (problems.length > 0) throw stepsInvalid(`The factory of "${spec.name}"`, problems)
  return createPlan(steps, given)
}

/**
 * A plan from its records, after a restart: under the same config the same steps. @throws CiError `BOLT_STEPS_FORGOTTEN` when one
 * of them cannot be had again, and what {@link planSteps} throws.
 */
export async function recallSteps(
  spec: BuilderSpec,
  info: () => Promise<BuildInfo>,
  records: readonly StepRecord[],
  kinds: Iterable<Step['definition']>,
): Promise<StepPlan> {
  const first = await planSteps(spec, info)
  const known = new Map<string, Step['definition']>()
  const learn = (definition: Step['definition']) => {
    if (known.has(definition.name)) return
    known.set(definition.name, definition)
    for (const added of definition.adds ?? []) learn(added.definition)
  }
  for (const kind of [...first.steps.map(({ step }) => step.definition), ...kinds]) learn(kind)
  const own = first.steps.values()
  const recalled = records.map((record): PlannedStep & { given: Step } => {
    const { name, kind, options, addedBy } = record
    if (addedBy === null) {
      const mine = own.next().value
      if (mine?.step.definition.name !== kind) throw stepsForgotten(spec.name, name, 'the factory gave other steps')
      return { step: mine.step, given: mine.step, name, addedBy }
    }
    const definition = known.get(kind)
    if (definition === undefined) throw stepsForgotten(spec.name, name, `no step of the config is of kind "${kind}"`)
    if (options === null || record.flags === null) throw stepsForgotten(spec.name, name, 'its options hold functions')
    const given = { kind: 'step', definition, options: options as object, flags: flagsOf(record.flags) } as Step
    const { steps, problems } = checkChosenSteps('factory', [given])
    if (problems.length > 0) throw stepsInvalid(`Step "${addedBy}"`, problems)
    return { step: steps[0]!, given, name, addedBy }
  })
  return growing(recalled)
}

function createPlan(steps: readonly Step[], given: readonly Step[]): StepPlan {
  const names = nameGiver([])
  return growing(steps.map((step, i) => ({ step, given: given[i]!, name: names(step), addedBy: null })))
}

function growing(planned: (PlannedStep & { readonly given: Step })[]): StepPlan {
  return {
    steps: planned,
    add(index, given) {
      const by = planned[index]!.name
      const { steps, problems } = checkChosenSteps('steps', given)
      if (problems.length > 0) throw stepsInvalid(`Step "${by}"`, problems)
      if (planned.length + steps.length > MAX_STEPS) throw stepsTooMany(by, MAX_STEPS)
      const names = nameGiver(planned.map(({ name }) => name))
      let at = index + 1
      while (planned[at]?.addedBy === by) at++
      planned.splice(at, 0, ...steps.map((step, i) => ({ step, given: given[i]!, name: names(step), addedBy: by })))
    },
    records: () =>
      planned.map(({ name, given, addedBy }) => ({
        name,
        kind: given.definition.name,
        options: isJson(given.options) ? given.options : null,
        flags: recordOf(given.flags),
        addedBy,
      })),
  }
}

/** Names of steps, unique in a build. */
export const stepNames = (steps: readonly Step[]): readonly string[] => steps.map(nameGiver([]))

/** Makes names unique by a number behind them. */
function nameGiver(taken: readonly string[]): (step: Step) => string {
  const seen = new Set(taken)
  return (step) => {
    const name = step.flags.name ?? step.definition.name
    let unique = name
    for (let count = 2; seen.has(unique); count++) unique = `${name}_${count}`
    seen.add(unique)
    return unique
  }
}

type LockRecord = {
  kind: string
  name: string
  maxCount: number
  maxCountForSlave: Record<string, number>
  mode: string
}

/** Flags as data; `null`: they hold functions. Locks are written down as what they were made from. */
function recordOf({ locks, ...flags }: Step['flags']): Json {
  if (!isJson(flags)) return null
  if (locks === undefined) return flags
  const records = locks.map(({ lock: { kind, name, maxCount, maxCountForSlave }, mode }) => {
    return { kind, name, maxCount, maxCountForSlave: { ...maxCountForSlave }, mode }
  })
  return { ...(flags as object), locks: records }
}

function flagsOf(record: Json): Step['flags'] {
  const { locks, ...flags } = record as { locks?: readonly LockRecord[] } // as recordOf wrote it
  if (locks === undefined) return flags
  return { ...flags, locks: locks.map(accessOf) }
}

function accessOf({ kind, name, maxCount, maxCountForSlave, mode }: LockRecord): LockAccess {
  const lock = kind === 'slaveLock' ? slaveLock(name, { maxCount, maxCountForSlave }) : masterLock(name, { maxCount })
  return lock.access(mode as LockAccess['mode'])
}
