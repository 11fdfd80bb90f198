import {
  type CiError,
  type Clock,
  type Command,
  type CommandId,
  type CommandIo,
  hasCode,
  type Json,
  type Log,
  messageOf,
  type PropertyEntry,
  RESULTS,
  type Renderable,
  type Result,
  type RunOptions,
  render,
  type SecretRef,
  type Step,
  type StepContext,
  type StepInfo,
  type StepOutcome,
  type Triggered,
  type TriggerOrder,
} from 'boltbot/plugin-sdk'
import type { PastLogs } from './adopted/past-logs.ts'
import { takeUp } from './adopted/taken-up.ts'
import type { StepLogs } from './build-log.ts'
import { wrongOutcome } from './errors.ts'
import type { Session } from './slaves/session.ts'

/**
 * Stage 10 of the walk: runs one step and says what came of it. What a step throws is a result too: a lost slave is `retry`, an
 * abort is what the abort's reason says, anything else is `exception` with the error in the step's log.
 */
export interface StepRun {
  readonly step: Step
  /** Options after the schema of the step. */
  readonly info: StepInfo
  readonly properties: Record<string, PropertyEntry>
  readonly env: Readonly<Record<string, Renderable<string> | null>>
  readonly session: Session
  readonly logs: StepLogs
  /** Names the step's commands, all but their index. */
  readonly place: Omit<CommandId, 'index'>
  /** What a process before stored of this step; `undefined`: it was not begun before. */
  readonly past: PastLogs | undefined
  /** The slave program that keeps the commands; `null`: they die with the link. */
  readonly agent: string | null
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Log
  readonly secretOf: (ref: SecretRef) => string
  /** From now on this text is hidden in all logs. */
  readonly hide: (value: string) => void
  readonly trigger: (order: TriggerOrder) => Promise<Triggered>
  readonly addSteps: (steps: readonly Step[]) => Promise<void>
}

export interface RanStep {
  readonly result: Result
  readonly text: string
  /** Its commands on the slave, to be forgotten when the result is stored. */
  readonly commands: readonly CommandId[]
}

export async function runStep(run: StepRun): Promise<RanStep> {
  const { step, signal, log, logs } = run
  const commands: CommandId[] = []
  const context = createContext(run, commands)
  let outcome: StepOutcome
  try {
    outcome = outcomeOf(
      step,
      await endedBy(signal, Promise.resolve(step.definition.run(context, step.options as never))),
    )
    if (signal.aborted) outcome = { ...outcome, result: resultOfAbort(signal.reason) }
  } catch (error) {
    const result = signal.aborted
      ? resultOfAbort(signal.reason)
      : hasCode(error, 'BOLT_SESSION_LOST')
        ? 'retry'
        : 'exception'
    if (result === 'exception') {
      log.error('step failed', { step: run.info.builder, error })
      const text = `${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`
      // The log may be what failed: then the error is in the master's log and in the text of the step.
      await logs.append('stdio', 'header', new TextEncoder().encode(text)).catch(() => {})
    }
    outcome = { result, text: [...doneWords(step), messageOf(signal.aborted ? signal.reason : error)] }
  }
  return { result: outcome.result, text: wordsOf(outcome, step).join(' '), commands }
}

/** What a step gave, looked at before it counts: code without types may give anything. */
function outcomeOf(step: Step, given: unknown): StepOutcome {
  const result = typeof given === 'object' && given !== null && 'result' in given ? given.result : undefined
  if (RESULTS.some((one) => one === result)) return given as StepOutcome
  const shown = given === undefined ? 'nothing' : (JSON.stringify(given) ?? typeof given)
  throw wrongOutcome(step.flags.name ?? step.definition.name, shown.slice(0, 100))
}

/** Somebody stopped the build, or the master goes or lost its claim and nobody asked for the build's end, or the store failed. */
export function resultOfAbort(reason: unknown): Result {
  if (hasCode(reason, 'BOLT_BUILDS_STOPPED')) return 'cancelled'
  for (const code of ['BOLT_MASTER_STOPPING', 'BOLT_BUILDS_STALE', 'BOLT_BUILDS_NOT_ADOPTED'])
    if (hasCode(reason, code)) return 'retry'
  return 'exception'
}

/** What a step says while it runs. */
export function runningText(step: Step): string {
  const { description } = step.flags
  return words(description ?? step.definition.describe?.(step.options as never).running ?? [step.definition.name]).join(
    ' ',
  )
}

export function doneWords(step: Step): readonly string[] {
  const { descriptionDone, description } = step.flags
  return words(
    descriptionDone ?? step.definition.describe?.(step.options as never).done ?? description ?? [step.definition.name],
  )
}

const words = (text: string | readonly string[]): readonly string[] => (typeof text === 'string' ? [text] : text)

function wordsOf(outcome: StepOutcome, step: Step): readonly string[] {
  const { result, detail = [] } = outcome
  const said = outcome.text ?? doneWords(step)
  if (result === 'success' || outcome.text !== undefined) return [...said, ...detail]
  return [...said, result === 'failure' ? 'failed' : result, ...detail]
}

/** A master that stops does not wait for the slave to end the command. */
function endedBy<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const stopping = Promise.withResolvers<never>()
  const abort = () => {
    if (resultOfAbort(signal.reason) === 'retry') stopping.reject(signal.reason as CiError)
  }
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  work.catch(() => {}) // when the race was decided by the signal
  return Promise.race([work, stopping.promise]).finally(() => signal.removeEventListener('abort', abort))
}

const UPLOADS_AGAIN = 10_000

function createContext(run: StepRun, commands: CommandId[]): StepContext {
  const { info, session, logs, signal, clock, log, properties } = run
  /** Secrets the step has used: its commands may carry them, and must not show them. */
  const secrets = new Set<string>()
  const secretOf = (ref: SecretRef): string => {
    const value = run.secretOf(ref)
    secrets.add(value)
    return value
  }
  const renderNow = <T>(value: Renderable<T>): T => render(value, properties, secretOf)
  let tail: Promise<unknown> = Promise.resolve()

  async function runCommand(command: Command, options: RunOptions): Promise<Awaited<ReturnType<Session['run']>>> {
    signal.throwIfAborted()
    const { past, agent } = run
    // The step must see the bytes of an upload again: it is asked for once more, under a number of its own.
    const again = past !== undefined && command.kind === 'upload'
    const id = { ...run.place, index: commands.length + (again ? UPLOADS_AGAIN : 0) }
    commands.push(id)
    const { observe, receive, provide } = options
    const logOf = (name: string) => (name === 'stdio' ? (options.log ?? 'stdio') : name)
    const io: CommandIo = {
      output(name, stream, _offset, data) {
        observe?.(stream, data)
        return logs.append(logOf(name), stream, data)
      },
      ...(receive && { receive }),
      ...(provide && { provide }),
    }
    if (past === undefined || again) return session.run(id, info.builder, withEnv(command), io, signal, { agent })
    const begun = takeUp({ past, logOf, observe, io })
    const result = await session.run(id, info.builder, withEnv(command), begun.io, signal, { agent, begun })
    await begun.end()
    return result
  }

  function withEnv(command: Command): Command {
    if (command.kind !== 'shell') return command
    const env = { ...renderNow<Record<string, string | null>>(run.env), ...command.env }
    const own = command.secrets ?? []
    for (const value of own) run.hide(value)
    return { ...command, env, secrets: [...own, ...secrets] }
  }

  return {
    ...info,
    get properties() {
      return properties
    },
    signal,
    clock,
    log,
    run(command, options = {}) {
      const result = tail.then(() => runCommand(command, options))
      tail = result.catch(() => {}) // the step has the error
      return result
    },
    write: (name, stream, text) => logs.append(name, stream, new TextEncoder().encode(text)),
    trigger: run.trigger,
    addSteps: run.addSteps,
    setProperty(name: string, value: Json) {
      properties[name] = { value, source: `Step ${run.step.flags.name ?? run.step.definition.name}` }
    },
    render: renderNow,
  }
}
