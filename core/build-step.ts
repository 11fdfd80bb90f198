import {
  type BuildInfo,
  type Change,
  type CiError,
  type Clock,
  type Log,
  messageOf,
  type PropertyEntry,
  type PropertyMap,
  type Result,
  type SecretRef,
  type SourceStamp,
  type Step,
  type StepInfo,
} from 'boltbot/plugin-sdk'
import type { Adopted } from './adopted/adopted.ts'
import { createPastLogs, type PastLogs } from './adopted/past-logs.ts'
import { createStepLogs, type StepLogs, type StreamRedactor } from './build-log.ts'
import type { BuilderSpec } from './config/model.ts'
import type { LockNeed, Locks } from './locks.ts'
import type { BuildProgress } from './progress.ts'
import type { Session } from './slaves/session.ts'
import type { StepPlan } from './step-plan.ts'
import { doneWords, type RanStep, resultOfAbort, runningText, runStep } from './step-runner.ts'
import type { StartedBuild } from './store/builds.ts'
import { holdForStep, releaseForStep } from './store/lock-holds.ts'
import type { LogStore } from './store/log-store.ts'
import { storeStepPlan } from './store/step-plans.ts'
import { finishStep, startStep } from './store/steps.ts'
import type { Store } from './store/store.ts'
import type { Triggers } from './triggers.ts'

/** What all builds of a master share. */
export interface BuildDeps {
  readonly store: Store
  readonly logStore: LogStore
  readonly clock: Clock
  readonly log: Log
  readonly locks: Locks
  readonly redactor: () => StreamRedactor
  readonly secretOf: (ref: SecretRef) => string
  /** From now on this text is hidden in all logs. */
  readonly hide: (value: string) => void
  readonly triggers: Pick<Triggers, 'of'>
  /** A step has begun to wait for locks. */
  readonly stepWaits: () => void
  /** Told of new log bytes; `undefined` when nobody listens. */
  readonly logAppended: () => ((event: { step: number; log: string; length: number }) => void) | undefined
}

/** One build: what to do, where, and who is told. */
export interface BuildOrder {
  readonly started: StartedBuild
  readonly builder: BuilderSpec
  readonly slave: string
  readonly session: Session
  readonly requests: readonly number[]
  /** How often a slave of these requests was lost before, and may be in all. */
  readonly losses: number
  readonly maxTries: number
  readonly reason: string
  readonly sourceStamp: SourceStamp
  readonly changes: readonly Change[]
  readonly blamelist: readonly string[]
  readonly treeStableMs: number | null
  readonly progress: BuildProgress
  /** What a factory that is a function chooses by. */
  readonly info: () => Promise<BuildInfo>
  /** Lock scopes of a step on this slave. */
  readonly needsOf: (step: Step) => readonly LockNeed[]
  /** What the build waits for while it holds its slave and locks, for those who wait for them; `null`: nothing. */
  readonly note: (text: string | null) => void
  /** Aborts with a CiError that says why. */
  readonly signal: AbortSignal
  /** Aborts when the master stops: also what runs on in a stopped build. */
  readonly ending: AbortSignal
  /** The end of the build is committed: its slave and locks may be given to the next one. */
  readonly over: () => void
  /** Aborts `signal`: the claim was lost. */
  readonly abort: (reason: CiError) => void
  /** The slave program that keeps its commands, so that the build goes on under the next process; `null`: they die with the link. */
  readonly agent: string | null
  /** Set when a process before began it. */
  readonly adopted: Adopted | null
}

/** The build goes on under the next process: nothing more of it is stored here. */
export const isLeft = ({ agent, ending }: Pick<BuildOrder, 'agent' | 'ending'>) => agent !== null && ending.aborted

/** What a build gathers on its way. */
export interface BuildState {
  readonly properties: Record<string, PropertyEntry>
  readonly results: Result[]
  readonly failedSteps: string[]
  /** Writes are not awaited one by one: they are stored in order, and the first that is refused ends the build. */
  readonly writes: Promise<void>[]
  readonly plan: StepPlan
}

/** One step of a build: its rows, its logs, its locks, its work. */
export async function runOneStep(
  deps: BuildDeps,
  order: BuildOrder,
  state: BuildState,
  { step, index, name }: { readonly step: Step; readonly index: number; readonly name: string },
): Promise<Result> {
  const { store, clock } = deps
  const { started, builder, session } = order
  const write = writer(order, state)
  const key = { build: started.build, step: index, epoch: started.epoch }
  // Also when nothing is stored of it: it may have begun, and be not durable.
  const past = order.adopted === null ? undefined : createPastLogs(deps.logStore, key)
  const before = { ...state.properties }
  const logs = createStepLogs({
    store: deps.logStore,
    clock,
    key,
    redactor: deps.redactor,
    past,
    appended: wakeOf(deps, index),
    ended: (error) =>
      deps.log.error('log not ended', { builder: builder.name, build: started.number, step: name, error }),
  })
  const place = { claim: started, builder: builder.name, number: started.number, step: index, name }
  if (!order.adopted?.left.steps.has(index))
    write(startStep(store, place, runningText(step), order.progress.eta(clock.now())))
  const ran = await attempt(deps, order, state, { step, index, name, logs, past })
  if (isLeft(order)) {
    await logs.leave()
    return ran.result
  }
  order.progress.end(name, clock.now(), ran.result)
  const { result, text } = ran
  const properties = changedIn(before, state.properties)
  const stored = write(finishStep(store, place, { result, text, logs: await logs.finish(), properties }))
  const forget = () => {
    for (const id of ran.commands) session.forget(id)
  }
  stored.then(forget, forget) // refused: the build was aborted by `write`, and nobody asks for its commands any more
  return ran.result
}

function writer(order: BuildOrder, state: BuildState): (stored: Promise<void>) => Promise<void> {
  return (stored) => {
    state.writes.push(stored)
    stored.catch((error: CiError) => order.abort(error))
    return stored
  }
}

interface AttemptedStep {
  readonly step: Step
  readonly index: number
  readonly name: string
  readonly logs: StepLogs
  readonly past: PastLogs | undefined
}

/** The step itself: wanted at all? its locks, its work. */
async function attempt(
  deps: BuildDeps,
  order: BuildOrder,
  state: BuildState,
  { step, index, name, logs, past }: AttemptedStep,
): Promise<RanStep> {
  const { clock, secretOf, hide } = deps
  const { started, builder, session } = order
  const { properties } = state
  const log = deps.log.child({ builder: builder.name, build: started.number, step: name })
  // An alwaysRun step of a stopped build runs to its end, unless the master stops.
  const signal = order.signal.aborted && step.flags.alwaysRun ? order.ending : order.signal
  const info: StepInfo = {
    builder: builder.name,
    number: started.number,
    slave: order.slave,
    sourceStamp: order.sourceStamp,
    changes: order.changes,
    treeStableMs: order.treeStableMs,
    properties,
    results: [...state.results],
  }
  try {
    if (!(await wanted(step, info)))
      return { result: 'skipped', text: `${doneWords(step).join(' ')} skipped`, commands: [] }
    const ticket = `build ${started.build} step ${index}`
    const waits = (why: string) => {
      log.debug('step waits', { why })
      deps.stepWaits()
    }
    const needs = order.needsOf(step)
    using stack = new DisposableStack()
    const kept = order.adopted?.holds.get(index)
    order.adopted?.holds.delete(index)
    const holder = { label: `${builder.name} #${started.number}`, build: started.build }
    stack.use(kept ?? (await deps.locks.take(ticket, holder, needs, signal, waits)))
    if (needs.length > 0) {
      const write = writer(order, state)
      const holds = needs.map(({ scope, mode }) => ({ lock: scope.name, mode }))
      // Stored before the slave hears of anything: it goes on with it when the master is killed.
      if (kept === undefined) await write(holdForStep(deps.store, started, index, order.slave, holds))
      stack.defer(() => isLeft(order) || void write(releaseForStep(deps.store, started, index)))
    }
    const place = { build: started.build, epoch: started.epoch, step: index }
    order.progress.begin(name, clock.now())
    return await runStep({
      step,
      info,
      properties,
      env: builder.env,
      session,
      logs,
      place,
      past,
      agent: order.agent,
      signal,
      clock,
      log,
      secretOf,
      hide,
      async addSteps(steps) {
        state.plan.add(index, steps)
        order.progress.plan(state.plan.steps.map((planned) => planned.name))
        await storeStepPlan(deps.store, started, state.plan.records())
      },
      trigger: deps.triggers.of({
        id: started.build,
        build: `${builder.name} #${started.number}`,
        key: `${started.build}.${started.epoch}.${index}`,
        signal,
        note: order.note,
      }),
    })
  } catch (error) {
    // Only doStepIf and the wait for locks throw.
    const result = signal.aborted ? resultOfAbort(signal.reason) : 'exception'
    if (result === 'exception') log.error('step not started', { error })
    return { result, text: `${doneWords(step).join(' ')}: ${messageOf(error)}`, commands: [] }
  }
}

function changedIn(before: PropertyMap, now: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(now).filter(([name, entry]) => before[name] !== entry))
}

const wanted = async (step: Step, info: StepInfo) => {
  const { doStepIf = true } = step.flags
  return typeof doStepIf === 'function' ? await doStepIf(info) : doStepIf
}

function wakeOf(deps: BuildDeps, step: number): ((log: string, length: number) => void) | undefined {
  const tell = deps.logAppended()
  return tell && ((log, length) => tell({ step, log, length }))
}
