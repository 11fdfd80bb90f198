import {
  type Builder,
  type Change,
  type Duration,
  durationMs,
  isJson,
  type Json,
  type SchedulerBuildset,
  type Wanted,
} from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type ChangeFilter, changeFilterSchema, passes } from './change-filter.ts'

/** Options that several schedulers take, and their schemas. */
export interface CommonOptions {
  /** Unique among the schedulers; its state is kept under this name. */
  readonly name: string
  /** What it builds, by object or name. */
  readonly builders: readonly (Builder | string)[]
  /** Properties of its builds. */
  readonly properties?: Readonly<Record<string, Json>> | undefined
  /** Why its builds were started, for people; default: its name. */
  readonly reason?: string | undefined
  /** Higher is built earlier; default 0. */
  readonly priority?: number | undefined
}

export interface CheckedCommon extends Omit<CommonOptions, 'builders'> {
  readonly builders: readonly string[]
}

export const commonShape = {
  name: z.string('Give it a name.').min(1, 'Give it a name.'),
  builders: z
    .array(z.custom<Builder | string>(isBuilder, 'Give a builder or the name of one.'), 'Give a list of builders.')
    .min(1, 'Give at least one builder.')
    .transform((list) => [...new Set(list.map((item) => (typeof item === 'string' ? item : item.name)))]),
  properties: z
    .record(
      z.string(),
      z.custom<Json>((value) => isJson(value), 'Give a JSON value.'),
      'Give an object of property names and values.',
    )
    .optional(),
  reason: z.string('Give a text.').optional(),
  priority: z.number('Give a number, higher is earlier.').optional(),
}

/** What all buildsets of a scheduler have in common. */
export function buildsetOf({ name, reason, properties, priority }: CheckedCommon): BuildsetParts {
  return {
    reason: reason ?? `scheduler "${name}"`,
    ...(properties && { properties }),
    ...(priority !== undefined && { priority }),
  }
}
export type BuildsetParts = Pick<SchedulerBuildset, 'reason' | 'properties' | 'priority'>

/** Which changes count. */
export interface ImportanceOptions {
  /** Does this change matter? Unimportant ones wait until an important one is built. Default: every change does. May be async. */
  readonly fileIsImportant?: ((change: Change) => boolean | Promise<boolean>) | undefined
  /** A change whose comments fit one of these is unimportant, whatever its files. Default: `[ci skip]` and `[skip ci]`; `[]`: none is. */
  readonly skips?: readonly RegExp[] | undefined
  /** True: unimportant changes are not built at all, nor blamed. Default false. */
  readonly onlyImportant?: boolean | undefined
  readonly changeFilter?: ChangeFilter | undefined
}

export const importanceShape = {
  fileIsImportant: z
    .custom<NonNullable<ImportanceOptions['fileIsImportant']>>(
      (value) => typeof value === 'function',
      'Give a function of the change, as in (change) => change.files.some((file) => !file.startsWith("docs/")).',
    )
    .optional(),
  skips: z
    .array(z.instanceof(RegExp, { error: 'Give regular expressions, as in [/\\[no build\\]/].' }), 'Give a list.')
    .optional(),
  onlyImportant: z.boolean('Give true or false.').optional(),
  changeFilter: changeFilterSchema.optional(),
}

/** Whether a change is for a scheduler with these options, and matters. */
export async function judge(options: ImportanceOptions, change: Change): Promise<Wanted> {
  const { fileIsImportant, skips = SKIPS, onlyImportant = false, changeFilter = {} } = options
  if (!passes(changeFilter, change)) return false
  // `search` takes no notice of a position that a global expression remembers.
  const isSkipped = skips.some((skip) => change.comments.search(skip) !== -1)
  if (!isSkipped && (fileIsImportant === undefined || (await fileIsImportant(change)))) return true
  return onlyImportant ? false : 'unimportant'
}

/** As people write it at all forges. */
const SKIPS = [/\[ *(?:ci +skip|skip +ci) *\]/i]

/** How long no important change may come; in milliseconds, 0: not at all. */
export const treeStableTimerSchema = z
  .custom<Duration | null>(
    (value) => value === null || durationMs(value as Duration) !== undefined, // any value may be asked
    "Give seconds, or text such as '90s' or '5m'; null to build each change at once.",
  )
  .default(null)
  .transform((value) => (value === null ? 0 : (durationMs(value) ?? 0)))

function isBuilder(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'builder'
}
