import {
  type Builder,
  type Change,
  type Duration,
  definePlugin,
  durationMs,
  isJson,
  type Json,
  type Schema,
} from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type ChangeFilter, changeFilterSchema, passes } from './change-filter.ts'
import { createTreeStableRules } from './rules.ts'

export interface SchedulerOptions {
  /** Unique among the schedulers; what it waits for is kept under this name. */
  readonly name: string
  /** The branch it follows; `null`: changes without a branch. May be left out when `changeFilter` has one. */
  readonly branch?: string | null | undefined
  /** What it builds, by object or name. */
  readonly builders: readonly (Builder | string)[]
  /** How long no important change may come before it builds; default `null`: it builds each important change at once. */
  readonly treeStableTimer?: Duration | null | undefined
  /** Does this change matter? Unimportant ones wait until an important one is built. Default: every change does. May be async. */
  readonly fileIsImportant?: ((change: Change) => boolean | Promise<boolean>) | undefined
  /** True: unimportant changes are not built at all, nor blamed. Default false. */
  readonly onlyImportant?: boolean | undefined
  readonly changeFilter?: ChangeFilter | undefined
  /** Properties of its builds. */
  readonly properties?: Readonly<Record<string, Json>> | undefined
  /** Why its builds were started, for people; default: its name. */
  readonly reason?: string | undefined
  /** Higher is built earlier; default 0. */
  readonly priority?: number | undefined
}

/** Options after the check. */
interface Checked extends Omit<SchedulerOptions, 'builders' | 'treeStableTimer'> {
  readonly builders: readonly string[]
  readonly treeStableTimer: number
}

const schema: Schema<SchedulerOptions, Checked> = z
  .strictObject({
    name: z.string('Give it a name.').min(1, 'Give it a name.'),
    branch: z.string("Give one branch, as in 'main'; for several, use changeFilter.").nullable().optional(),
    builders: z
      .array(z.custom<Builder | string>(isBuilder, 'Give a builder or the name of one.'), 'Give a list of builders.')
      .min(1, 'Give at least one builder.')
      .transform((list) => [...new Set(list.map((item) => (typeof item === 'string' ? item : item.name)))]),
    treeStableTimer: z
      .custom<Duration | null>(
        (value) => value === null || durationMs(value as Duration) !== undefined, // any value may be asked
        "Give seconds, or text such as '90s' or '5m'; null to build each change at once.",
      )
      .default(null)
      .transform((value) => (value === null ? 0 : (durationMs(value) ?? 0))),
    fileIsImportant: z
      .custom<NonNullable<SchedulerOptions['fileIsImportant']>>(
        (value) => typeof value === 'function',
        'Give a function of the change, as in (change) => change.files.some((file) => !file.startsWith("docs/")).',
      )
      .optional(),
    onlyImportant: z.boolean('Give true or false.').optional(),
    changeFilter: changeFilterSchema.optional(),
    properties: z
      .record(
        z.string(),
        z.custom<Json>((value) => isJson(value), 'Give a JSON value.'),
      )
      .optional(),
    reason: z.string('Give a text.').optional(),
    priority: z.number('Give a number, higher is earlier.').optional(),
  })
  .refine(({ branch, changeFilter }) => branch !== undefined || changeFilter?.branch !== undefined, {
    path: ['branch'],
    message: "Name the branch it follows, as in branch: 'main'.",
  })

/**
 * Builds a branch when it has been quiet for a while: each important change starts the timer anew, and when it is over,
 * everything that came is built together.
 *
 * @example
 * scheduler({ name: 'tests', branch: 'main', treeStableTimer: '5m', builders: [full],
 *   fileIsImportant: (change) => change.files.some((file) => !file.startsWith('docs/')) })
 */
export const scheduler = definePlugin({
  name: 'scheduler',
  kind: 'scheduler',
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { name, builders, branch, changeFilter = {}, fileIsImportant, onlyImportant = false } = options
    const { treeStableTimer: stableMs, reason = `scheduler "${name}"`, properties, priority } = options
    const rules = createTreeStableRules({
      stableMs,
      buildset: { reason, ...(properties && { properties }), ...(priority !== undefined && { priority }) },
    })
    host.registerScheduler({
      name,
      builders,
      initial: rules.initial,
      decide: rules.decide,
      async wants(change) {
        if (branch !== undefined && change.branch !== branch) return false
        if (!passes(changeFilter, change)) return false
        const important = fileIsImportant === undefined || (await fileIsImportant(change))
        return important || (onlyImportant ? false : 'unimportant')
      },
    })
  },
})

function isBuilder(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'builder'
}
