import { hasCode, messageOf, type Result, type Step, worst } from 'boltbot/plugin-sdk'
import { type BuildDeps, type BuildOrder, type BuildState, runOneStep } from './build-step.ts'
import { retryDelay } from './queue.ts'
import { resultOfAbort } from './step-runner.ts'
import { type EndedBuild, finishBuild } from './store/builds.ts'

/**
 * Stage 9 of the walk: one build, its steps in order, under the config it began with. It ends when its result is stored; nothing
 * is thrown.
 */
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
    text: spent ? [`slave lost ${losses} times`, 'given up'] : buildText(result, state.failedSteps, signal),
    properties: state.properties,
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
