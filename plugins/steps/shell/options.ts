import {
  type Duration,
  durationMs,
  isSecretRef,
  RESULTS,
  type Renderable,
  type Result,
  type Schema,
} from 'boltbot/plugin-sdk'
import { z } from 'zod'

/** What to run: a list is run as it is, text goes to the slave's shell. Properties and secrets may stand in either. */
export type ShellCommandLine = Renderable<string> | readonly Renderable<string>[]

/** Options of a step with a command of its own; any may be left out. */
export interface PresetOptions {
  readonly command?: ShellCommandLine | undefined
  /** Below the builder's directory; default `build`. */
  readonly workdir?: Renderable<string> | undefined
  /** On top of the slave's and the builder's environment; `null` removes a variable. */
  readonly env?: Readonly<Record<string, Renderable<string> | null>> | undefined
  /** Ended when it printed nothing for so long; default 20 minutes; `null`: never. */
  readonly timeout?: Duration | null | undefined
  /** Ended after so long in all; default `null`: never. */
  readonly maxTime?: Duration | null | undefined
  /** Between SIGTERM and SIGKILL; default 5 seconds. */
  readonly sigtermTime?: Duration | undefined
  /** Default true. */
  readonly wantStdout?: boolean | undefined
  /** Default true. */
  readonly wantStderr?: boolean | undefined
  /** Results of exit codes; default: 0 is `success`, any other `failure`. */
  readonly decodeRC?: Readonly<Record<number, Result>> | undefined
}

export interface ShellCommandOptions extends PresetOptions {
  readonly command: ShellCommandLine
}

/** Options after the check: complete, times in ms. */
export interface Shell {
  readonly command: ShellCommandLine
  readonly workdir: Renderable<string>
  readonly env: Readonly<Record<string, Renderable<string> | null>>
  readonly timeout: number | null
  readonly maxTime: number | null
  readonly sigtermTime: number
  readonly wantStdout: boolean
  readonly wantStderr: boolean
  readonly decodeRC: Readonly<Record<number, Result>>
}

const text = z.custom<Renderable<string>>(isText, 'Give text, or what interpolate, withProperties or secret gives.')

const command = z.custom<ShellCommandLine>(
  (value) => (Array.isArray(value) ? value.length > 0 && value.every(isText) : isText(value)) && value !== '',
  "Give the program and its arguments, as in ['make', 'all'], or one text for the slave's shell.",
)

const duration = z
  .custom<Duration>(
    (value) => (typeof value === 'number' || typeof value === 'string') && (durationMs(value) ?? 0) > 0,
    "Give seconds, or text such as '90s' or '20m'.",
  )
  .transform((value) => durationMs(value) ?? 0)

const decodeRC = z.record(
  z.string().regex(/^-?\d+$/, 'Give exit codes, as in { 0: "success", 2: "warnings" }.'),
  z.enum(RESULTS, `Give one of ${RESULTS.join(', ')}.`),
)

const flag = z.boolean('Give true or false.')

/** What all steps of the family take beside their command. */
const shape = {
  workdir: text.default('build'),
  env: z.record(z.string(), text.nullable(), 'Give an object of texts, null to remove a variable.').default({}),
  timeout: duration.nullable().default(20 * 60_000),
  maxTime: duration.nullable().default(null),
  sigtermTime: duration.default(5000),
  wantStdout: flag.default(true),
  wantStderr: flag.default(true),
  decodeRC: decodeRC.default({}),
}

export const shellSchema: Schema<ShellCommandOptions, Shell> = z.strictObject({ ...shape, command })

/** The schema of a step that knows its command. */
export function presetSchema(standard: string): Schema<PresetOptions, Shell> {
  return presetShape(standard)
}

/** As {@link presetSchema}, to be extended by options of its own. */
export function presetShape(standard: string) {
  return z.strictObject({ ...shape, command: command.default(standard) })
}

function isText(value: unknown): value is Renderable<string> {
  if (typeof value === 'string' || isSecretRef(value)) return true
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'interpolation'
}
