import { hasCode, isGood, messageOf, type Result, type Step, worst } from 'boltbot/plugin-sdk'
import { type BuildDeps, type BuildOrder, type BuildState, isLeft, runOneStep } from './build-step.ts'
import { buildNotAdopted, stepsChoiceSlow, stepsForgotten } from './errors.ts'
import { retryDelay } from './queue.ts'
import { planSteps, recallSteps, type StepPlan } from './step-plan.ts'
import { resultOfAbort } from './step-runner.ts'
import type { LeftStep } from './store/adoption.ts'
import { type EndedBuild, finishBuild } from './store/build-end.ts'
import { storeStepPlan } from './store/step-plans.ts'

/**
 * Stage 9 of the walk: one build, its steps in order, under the config it began with. It ends when its result is stored; nothing
 * is thrown.
 */
export async function runBuild(deps: BuildDeps, order: BuildOrder): Promise<Result> {
  const { signal } = order
  const plan = await firstPlan(deps, order)
  const state: BuildState = {
    properties: { ...order.started.properties },
    results: [],
    failedSteps: [],
    writes: [],
    plan: plan.steps,
  }
  order.progress.plan(state.plan.steps.map(({ name }) => name))
  let result: Result = plan.failed === undefined ? 'success' : 'exception'
  if (plan.failed !== undefined) state.failedSteps.push(plan.failed)
  let halted = false
  // The running step may add some behind it.
  for (const [index, { step, name }] of state.plan.steps.entries()) {
    const before = order.adopted?.left.steps.get(index)
    const isUnder = before !== undefined && before.result === null && result !== 'retry'
    const mayRun = step.flags.alwaysRun && mayGoOn(signal, result)
    if (before?.result == null && (halted || signal.aborted) && !mayRun && !isUnder) continue
    if (before === undefined && wasPassedOver(order, index)) continue
    if (isLeft(order)) break
    const ended = before?.result ?? (await runOneStep(deps, order, state, { step, index, name }))
    if (before?.result != null) takeOver(order, state, name, before)
    state.results.push(ended)
    const effect = effectOf(step, ended)
    if (effect !== 'success' && effect !== 'skipped') state.failedSteps.push(name)
    result = worst(result, effect === 'skipped' ? 'success' : effect)
    halted ||= halts(step, ended)
  }
  if (isLeft(order)) return leave(state)
  if (signal.aborted) result = worst(result, resultOfAbort(signal.reason))
  return finish(deps, order, state, result)
}

/** The steps of the builder, or those its function chooses for this build: these are stored before the first one runs. */
async function firstPlan(
  deps: BuildDeps,
  order: BuildOrder,
): Promise<{ readonly steps: StepPlan; readonly failed?: string }> {
  const { builder, started, signal } = order
  const { store, clock, log } = deps
  const { chooseSteps } = builder
  if (order.adopted !== null && (chooseSteps === null || order.adopted.left.plan !== null)) return recalled(order)
  if (chooseSteps === null) return { steps: await planSteps(builder, order.info) }
  const over = Promise.withResolvers<never>()
  using _timer = clock.timer(CHOICE_MS, () => over.reject(stepsChoiceSlow(builder.name, CHOICE_MS / 1000)))
  const stopped = () => over.reject(signal.reason)
  signal.addEventListener('abort', stopped)
  try {
    const steps = await Promise.race([planSteps(builder, order.info), over.promise])
    await storeStepPlan(store, started, steps.records())
    return { steps }
  } catch (error) {
    const none = await planSteps({ ...builder, chooseSteps: null }, order.info)
    if (signal.aborted) return { steps: none }
    log.error('steps of a build not chosen', { builder: builder.name, build: started.number, error })
    return { steps: none, failed: messageOf(error) }
  } finally {
    signal.removeEventListener('abort', stopped)
  }
}

const CHOICE_MS = 60_000

/** The steps it began with; none when they cannot be had again: then the build goes back to the queue. */
async function recalled(order: BuildOrder): Promise<{ readonly steps: StepPlan }> {
  const { builder, adopted, info } = order
  const { plan, steps: begun } = adopted!.left
  try {
    const ended = new Set([...begun.values()].filter(({ result }) => result !== null).map(({ name }) => name))
    // What the step under way has added it adds again.
    const records = plan?.filter(({ addedBy }) => addedBy === null || ended.has(addedBy))
    const steps = await (records ? recallSteps(builder, info, records, adopted!.kinds) : planSteps(builder, info))
    for (const [index, { name }] of begun)
      if (steps.steps[index]?.name !== name)
        throw stepsForgotten(builder.name, name, 'the config gives other steps now')
    return { steps }
  } catch (error) {
    order.abort(buildNotAdopted(order.started.build, messageOf(error)))
    return { steps: await planSteps({ ...builder, steps: [], chooseSteps: null }, info) }
  }
}

/** A later step was begun before the restart, and this one was not. */
const wasPassedOver = ({ adopted }: BuildOrder, index: number) =>
  adopted !== null && [...adopted.left.steps.keys()].some((later) => later > index)

/** A step that ended before the restart. */
function takeOver(order: BuildOrder, state: BuildState, name: string, { properties }: LeftStep): void {
  Object.assign(state.properties, properties)
  order.progress.end(name, 0, 'retry') // how long it took was told to the process before
}

async function leave({ writes }: BuildState): Promise<Result> {
  await Promise.allSettled(writes)
  return 'retry'
}

/** After a lost slave or a stopping master not even alwaysRun steps can run. */
const mayGoOn = (signal: AbortSignal, result: Result) =>
  result !== 'retry' && !(signal.aborted && resultOfAbort(signal.reason) === 'retry')

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
  await storeEnd(deps, order, {
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
    text: spent ? [`slave lost ${losses} times,`, 'given up after'] : buildText(result, state.failedSteps, signal),
    tellTries: spent,
    properties: state.properties,
    stepTimes: isGood(result) ? order.progress.learned() : null,
    requeue: again
      ? { notBefore: deps.store.now() + (byMaster ? 0 : retryDelay(losses)), countsAsLoss: !byMaster }
      : null,
  })
  await Promise.allSettled(state.writes) // each was looked at when it was made
  return result
}

/**
 * Until it is stored the build has not ended: it keeps its slave, and tries again. Given up only when somebody else ended it, or
 * the master stops: then the next start finds it running and puts its requests back.
 */
async function storeEnd({ store, clock, log }: BuildDeps, order: BuildOrder, ended: EndedBuild): Promise<void> {
  for (;;) {
    try {
      return await finishBuild(store, ended, order.over)
    } catch (error) {
      log.error('end of a build not stored', { builder: ended.builder, build: ended.number, error })
      if (order.ending.aborted || hasCode(error, 'BOLT_BUILDS_STALE')) return
      await clock.sleep(STORE_AGAIN_MS, order.ending).catch(() => {}) // the master stops: one last try
    }
  }
}

const STORE_AGAIN_MS = 5000

function buildText(result: Result, failedSteps: readonly string[], signal: AbortSignal): readonly string[] {
  if (signal.aborted) return [messageOf(signal.reason)]
  if (result === 'success') return ['build', 'successful']
  if (result === 'retry') return ['slave', 'lost']
  return [result === 'failure' ? 'failed' : result, ...failedSteps]
}
