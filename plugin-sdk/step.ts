import type { Clock, Log } from './clock.ts'
import type { Command, CommandIo, CommandResult, Stream } from './command.ts'
import type { Json } from './json.ts'
import type { LockAccess } from './locks.ts'
import type { BuildsetId, Change, PropertyMap, RequestId, SourceStamp } from './model.ts'
import { withOrigin } from './origin.ts'
import type { Renderable } from './render.ts'
import type { Result } from './results.ts'
import type { Schema } from './schema.ts'

/** How a step bears on its build, and what it may use. Every step takes these. */
export interface StepFlags {
  /** Shown, and the name of its logs' folder; made unique in the build by a number behind it. */
  readonly name?: string
  /** On failure the build stops; steps with `alwaysRun` still run. */
  readonly haltOnFailure?: boolean
  /** Warnings fail the build. */
  readonly flunkOnWarnings?: boolean
  /** Failure fails the build. */
  readonly flunkOnFailure?: boolean
  /** Warnings make the build `warnings`. */
  readonly warnOnWarnings?: boolean
  /** Failure makes the build `warnings`. */
  readonly warnOnFailure?: boolean
  /** Runs also when the build was halted or stopped. */
  readonly alwaysRun?: boolean
  /** Skipped when false, or when the function says so. May be async. */
  readonly doStepIf?: boolean | ((step: StepInfo) => boolean | Promise<boolean>)
  /** Held while it runs. */
  readonly locks?: readonly LockAccess[]
  /** While it runs: `['compiling']`. Default: made from what it does. */
  readonly description?: string | readonly string[]
  /** When it is done: `['compile']`; `failed` and the like are added. */
  readonly descriptionDone?: string | readonly string[]
}

/** A build that begins. */
export interface BuildInfo {
  readonly builder: string
  readonly number: number
  readonly slave: string
  readonly sourceStamp: SourceStamp
  readonly changes: readonly Change[]
  readonly properties: PropertyMap
  /** The tree-stable timer of the scheduler that asked for it, ms, the longest of those merged; `null`: there was none. */
  readonly treeStableMs: number | null
  /** The last result of this builder on this branch, `retry` and `cancelled` left out; `null`: there is none yet. */
  readonly lastResult: Result | null
}

/** What `doStepIf` may look at. */
export interface StepInfo extends Omit<BuildInfo, 'lastResult'> {
  /** Results of the steps before it. */
  readonly results: readonly Result[]
}

/** A kind of step. */
export interface StepDefinition<Input, Options = Input> {
  /** `shell`, `git`, …: shown when the step has no name of its own. */
  readonly name: string
  /** Checks and completes the options when the config is checked. */
  readonly schema?: Schema<Input, Options>
  /** Defaults of this kind for the flags. Without any: `flunkOnFailure` is true, all others false. */
  readonly flags?: StepFlags
  /** Other kinds of steps that it adds and no builder has: so that they can be found again after a restart of the master. */
  readonly adds?: readonly { readonly definition: Step['definition'] }[]
  /** For people, before and after: `['compiling']` and `['compile']`. */
  describe?(options: Options): { readonly running: readonly string[]; readonly done: readonly string[] }
  /**
   * Does the work. Return what came of it; throw only when something is wrong with the step itself (result `exception`).
   * When `context.signal` aborts, commands end by themselves with cause `interrupted`: return soon. Awaited.
   */
  run(context: StepContext, options: Options): Promise<StepOutcome>
}

/** What came of a step. */
export interface StepOutcome {
  readonly result: Result
  /** One line of words for people, instead of `descriptionDone` and the result. */
  readonly text?: readonly string[]
  /** Words behind them: `['(killed by SIGSEGV)']`. */
  readonly detail?: readonly string[]
}

/** What a running step may do. */
export interface StepContext extends StepInfo {
  /** Aborted when the build is stopped; its reason is a CiError. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Log
  /**
   * Runs a command on the build's slave and waits for its end; output goes to `log` (default `stdio`). Commands of a step run one
   * after the other. Resolves when all its output is stored.
   * @throws CiError `BOLT_SESSION_LOST` when the slave is lost; let it through: the build is retried.
   */
  run(command: Command, options?: RunOptions): Promise<CommandResult>
  /** Appends to a log of this step on the master's side. Resolves when stored. @throws CiError `BOLT_LOGS_WRITE`. */
  write(log: string, stream: Stream, text: string): Promise<void>
  /**
   * Asks a scheduler made for it (`triggerable`) for builds; resolves when they are queued.
   * @throws CiError `BOLT_SCHEDULING_UNKNOWN`, `BOLT_SCHEDULING_NOT_TRIGGERABLE`.
   * @example const { finished } = await context.trigger({ scheduler: 'packages', wait: true, sourceStamp: context.sourceStamp })
   */
  trigger(order: TriggerOrder): Promise<Triggered>
  /**
   * Adds steps to this build, right behind this one and what it added before. Resolves when stored: a restart of the master keeps them,
   * unless their options or flags hold functions.
   * @throws CiError `BOLT_STEPS_INVALID`, `BOLT_STEPS_TOO_MANY`.
   * @example await context.addSteps(names.map((name) => shellCommand({ name, command: ['make', name] })))
   */
  addSteps(steps: readonly Step[]): Promise<void>
  /** Sets a property of the build; later steps and status targets see it. */
  setProperty(name: string, value: Json): void
  /**
   * The text of what a value holds: properties and secrets put in. Secrets are hidden in every log from then on.
   * @throws CiError as {@link Secrets.resolve}; let it through.
   */
  render<T>(value: Renderable<T>): T
}

/** What a step asks a triggerable scheduler for. */
export interface TriggerOrder {
  /** Its name. */
  readonly scheduler: string
  /** The step is going to await `finished`: those who wait for its slave or locks are told so. Default false. */
  readonly wait?: boolean
  /** What to build; fields left out: the newest of the default branch. */
  readonly sourceStamp?: Partial<SourceStamp>
  /** Of the builds. */
  readonly properties?: Readonly<Record<string, Json>>
  /** For people; default `triggered by full #12`. */
  readonly reason?: string
}

/** Builds that a step asked for. */
export interface Triggered {
  readonly buildset: BuildsetId
  readonly requests: readonly RequestId[]
  /** The worst result of the builds when all have ended. Rejects with the signal's reason when the triggering build is stopped first; the builds go on. */
  readonly finished: Promise<Result>
}

/** Where the bytes of a command go to and come from. */
export interface RunOptions {
  readonly log?: string
  /** Sees the output as it comes, before it is stored; must not throw. */
  readonly observe?: (stream: Stream, data: Uint8Array) => void
  /** Takes the bytes of an `upload`, as in {@link CommandIo}. Awaited. */
  readonly receive?: CommandIo['receive']
  /** Gives the bytes of a `download`, as in {@link CommandIo}. Awaited. */
  readonly provide?: CommandIo['provide']
}

/** A step in a factory: data, nothing runs. */
export interface Step {
  readonly kind: 'step'
  readonly definition: StepDefinition<never, never>
  readonly options: object
  readonly flags: StepFlags
}

const FLAGS = [
  'name',
  'haltOnFailure',
  'flunkOnWarnings',
  'flunkOnFailure',
  'warnOnWarnings',
  'warnOnFailure',
  'alwaysRun',
  'doStepIf',
  'locks',
  'description',
  'descriptionDone',
] as const satisfies readonly (keyof StepFlags)[]

/**
 * A new kind of step: gives the function that config files call.
 *
 * @example
 * export const countFiles = defineStep({
 *   name: 'count files',
 *   async run(context, options: { pattern: string }) {
 *     const found = await context.run({ kind: 'glob', pattern: options.pattern })
 *     context.setProperty('files', found.data)
 *     return { result: found.cause === 'exit' ? 'success' : 'failure' }
 *   },
 * })
 */
export function defineStep<Input extends object, Options>(
  definition: StepDefinition<Input, Options> & { readonly schema: Schema<Input, Options> },
): StepFactory<Input>
export function defineStep<Options extends object>(definition: StepDefinition<Options>): StepFactory<Options>
export function defineStep<Options extends object>(definition: StepDefinition<Options>): StepFactory<Options> {
  const definitionOfAny = definition as unknown as Step['definition']
  const factory = (given: Partial<Options> & StepFlags = {}): Step => {
    const flags: Record<string, unknown> = { ...definition.flags }
    const options: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined) continue
      if ((FLAGS as readonly string[]).includes(key)) flags[key] = value
      else options[key] = value
    }
    const step = { kind: 'step' as const, definition: definitionOfAny, options, flags }
    return withOrigin(step, factory)
  }
  return Object.assign(factory, { definition: definitionOfAny }) as unknown as StepFactory<Options> // the optional argument is decided by the type below
}

/** The options may be left out when none is required. */
// biome-ignore lint/complexity/noBannedTypes: "{} extends X" asks whether nothing in X is required
export type StepFactory<Options> = ({} extends Options
  ? (options?: Options & StepFlags) => Step
  : (options: Options & StepFlags) => Step) & { readonly definition: Step['definition'] }
