import {
  type Change,
  type CiError,
  type Clock,
  type Log,
  messageOf,
  type PropertyEntry,
  type Result,
  type SecretRef,
  type SourceStamp,
  type Step,
  type StepInfo,
  worst,
} from 'boltbot/plugin-sdk'
import { createStepLogs, type StepLogs, type StreamRedactor } from './build-log.ts'
import type { BuilderSpec } from './config/model.ts'
import type { LockNeed, Locks } from './locks.ts'
import { retryDelay } from './queue.ts'
import type { Session } from './slaves/session.ts'
import { doneWords, type RanStep, resultOfAbort, runningText, runStep } from './step-runner.ts'
import { finishBuild, type StartedBuild } from './store/builds.ts'
import type { LogStore } from './store/log-store.ts'
import { finishStep, startStep } from './store/steps.ts'
import type { Store } from './store/store.ts'
import type { Triggers } from './triggers.ts'

/**
 * Stage 9 of the walk: one build, its steps in order, under the config it began with. It ends when its result is stored; nothing
 * is thrown.
 */
export interface BuildDeps {
  readonly store: Store
  readonly logStore: LogStore
  readonly clock: Clock
  readonly log: Log
  readonly locks: Locks
  readonly redactor: () => StreamRedactor
  readonly secretOf: (ref: SecretRef) => string
  readonly triggers: Pick<Triggers, 'of'>
  /** Told of new log bytes; `undefined` when nobody listens. */
  readonly logAppended: () => ((event: { step: number; log: string; length: number }) => void) | undefined
}

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
}

export async function runBuild(deps: BuildDeps, order: BuildOrder): Promise<Result> {
  const { builder, signal } = order
  const names = uniqueNames(builder.steps)
  const state: BuildState = { properties: { ...order.started.properties }, results: [], failedSteps: [], writes: [] }
  let result: Result = 'success'
  let halted = false
  for (const [index, step] of builder.steps.entries()) {
    if ((halted || signal.aborted) && !(step.flags.alwaysRun && mayGoOn(signal, result))) continue
    const name = names[index]!
    const ended = await runOneStep(deps, order, state, { step, index, name })
    state.results.push(ended)
    const effect = effectOf(step, ended)
    if (effect !== 'success' && effect !== 'skipped') state.failedSteps.push(name)
    result = worst(result, effect === 'skipped' ? 'success' : effect)
    halted ||= halts(step, ended)
  }
  if (signal.aborted) result = worst(result, resultOfAbort(signal.reason))
  return finish(deps, order, state, result)
}

/** What a build gathers on its way. */
interface BuildState {
  readonly properties: Record<string, PropertyEntry>
  readonly results: Result[]
  readonly failedSteps: string[]
  /** Writes are not awaited one by one: they are stored in order, and the first that is refused ends the build. */
  readonly writes: Promise<void>[]
}

async function runOneStep(
  deps: BuildDeps,
  order: BuildOrder,
  state: BuildState,
  { step, index, name }: { readonly step: Step; readonly index: number; readonly name: string },
): Promise<Result> {
  const { store, clock } = deps
  const { started, builder, session } = order
  const write = (stored: Promise<void>) => {
    state.writes.push(stored)
    stored.catch((error: CiError) => order.abort(error))
    return stored
  }
  const logs = createStepLogs({
    store: deps.logStore,
    clock,
    key: { build: started.build, step: index, epoch: started.epoch },
    redactor: deps.redactor,
    appended: wakeOf(deps, index),
    ended: (error) =>
      deps.log.error('log not ended', { builder: builder.name, build: started.number, step: name, error }),
  })
  const place = { claim: started, builder: builder.name, number: started.number, step: index, name }
  write(startStep(store, place, runningText(step)))
  const ran = await attempt(deps, order, state, { step, index, name, logs })
  const stored = write(finishStep(store, place, { result: ran.result, text: ran.text, logs: await logs.finish() }))
  const forget = () => {
    for (const id of ran.commands) session.forget(id)
  }
  stored.then(forget, () => {}) // refused: the build was aborted by `write`
  return ran.result
}

/** The step itself: wanted at all? its locks, its work. */
async function attempt(
  deps: BuildDeps,
  order: BuildOrder,
  state: BuildState,
  {
    step,
    index,
    name,
    logs,
  }: { readonly step: Step; readonly index: number; readonly name: string; readonly logs: StepLogs },
): Promise<RanStep> {
  const { clock, secretOf } = deps
  const { started, builder, session } = order
  const { properties } = state
  const log = deps.log.child({ builder: builder.name, build: started.number, step: name })
  // An alwaysRun step of a stopped build runs to its end, unless the master stops.
  const signal = order.signal.aborted ? order.ending : order.signal
  const info: StepInfo = {
    builder: builder.name,
    number: started.number,
    slave: order.slave,
    sourceStamp: order.sourceStamp,
    changes: order.changes,
    properties,
    results: [...state.results],
  }
  try {
    if (!(await wanted(step, info)))
      return { result: 'skipped', text: `${doneWords(step).join(' ')} skipped`, commands: [] }
    const ticket = `build ${started.build} step ${index}`
    const waits = (why: string) => log.debug('step waits', { why })
    using _held = await deps.locks.take(
      ticket,
      `${builder.name} #${started.number}`,
      order.needsOf(step),
      signal,
      waits,
    )
    const place = { build: started.build, epoch: started.epoch, step: index }
    return await runStep({
      step,
      info,
      properties,
      env: builder.env,
      session,
      logs,
      place,
      signal,
      clock,
      log,
      secretOf,
      trigger: deps.triggers.of({ build: `${builder.name} #${started.number}`, signal, note: order.note }),
    })
  } catch (error) {
    // Only doStepIf and the wait for locks throw.
    const result = signal.aborted ? resultOfAbort(signal.reason) : 'exception'
    if (result === 'exception') log.error('step not started', { error })
    return { result, text: `${doneWords(step).join(' ')}: ${messageOf(error)}`, commands: [] }
  }
}

/** After a lost slave or a stopping master not even alwaysRun steps can run. */
const mayGoOn = (signal: AbortSignal, result: Result) =>
  result !== 'retry' && !(signal.aborted && resultOfAbort(signal.reason) === 'retry')

const wanted = async (step: Step, info: StepInfo) => {
  const { doStepIf = true } = step.flags
  return typeof doStepIf === 'function' ? await doStepIf(info) : doStepIf
}

/** What a step's result means for its build. */
function effectOf({ flags }: Step, result: Result): Result {
  if (result === 'failure') {
    if ((flags.flunkOnFailure ?? true) || flags.flunkOnWarnings || flags.haltOnFailure) return 'failure'
    return flags.warnOnFailure || flags.warnOnWarnings ? 'warnings' : 'success'
  }
  if (result === 'warnings') return flags.flunkOnWarnings ? 'failure' : flags.warnOnWarnings ? 'warnings' : 'success'
  return result
}

function halts({ flags }: Step, result: Result): boolean {
  return (result === 'failure' && flags.haltOnFailure === true) || ['exception', 'retry', 'cancelled'].includes(result)
}

async function finish(deps: BuildDeps, order: BuildOrder, state: BuildState, ran: Result): Promise<Result> {
  const { started, signal, builder } = order
  const byMaster = signal.aborted && resultOfAbort(signal.reason) === 'retry'
  const losses = order.losses + (ran === 'retry' && !byMaster ? 1 : 0)
  const spent = ran === 'retry' && !byMaster && losses >= order.maxTries
  const result: Result = spent ? 'exception' : ran
  const again = result === 'retry'
  try {
    const ended = {
      claim: started,
      builder: builder.name,
      number: started.number,
      slave: order.slave,
      requests: order.requests,
      reason: order.reason,
      sourceStamp: order.sourceStamp,
      blamelist: order.blamelist,
      startedAt: started.startedAt,
      result,
      text: spent ? [`slave lost ${losses} times`, 'given up'] : buildText(result, state.failedSteps, signal),
      properties: state.properties,
      requeue: again
        ? { notBefore: deps.store.now() + (byMaster ? 0 : retryDelay(losses)), countsAsLoss: !byMaster }
        : null,
    }
    await finishBuild(deps.store, ended, order.over)
    await Promise.all(state.writes)
  } catch (error) {
    deps.log.error('end of a build not stored', { builder: builder.name, build: started.number, error })
  }
  return result
}

function buildText(result: Result, failedSteps: readonly string[], signal: AbortSignal): readonly string[] {
  if (signal.aborted) return [messageOf(signal.reason)]
  if (result === 'success') return ['build', 'successful']
  if (result === 'retry') return ['slave', 'lost']
  return [result === 'failure' ? 'failed' : result, ...failedSteps]
}

function wakeOf(deps: BuildDeps, step: number): ((log: string, length: number) => void) | undefined {
  const tell = deps.logAppended()
  return tell && ((log, length) => tell({ step, log, length }))
}

/** Names of the steps of a build, made unique by a number behind. */
function uniqueNames(steps: readonly Step[]): readonly string[] {
  const seen = new Map<string, number>()
  return steps.map((step) => {
    const name = step.flags.name ?? step.definition.name
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  })
}
