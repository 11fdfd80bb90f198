import { type Duration, definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { followBranches } from '../follow-branches.ts'
import {
  type CheckedCommon,
  type CommonOptions,
  commonShape,
  type ImportanceOptions,
  importanceShape,
  treeStableTimerSchema,
} from '../options.ts'

export interface SchedulerOptions extends CommonOptions, ImportanceOptions {
  /** The branch it follows; `null`: changes without a branch. May be left out when `changeFilter` has one. */
  readonly branch?: string | null | undefined
  /** How long no important change may come before it builds; default `null`: it builds each important change at once. */
  readonly treeStableTimer?: Duration | null | undefined
}

interface Checked extends CheckedCommon, ImportanceOptions {
  readonly branch?: string | null | undefined
  readonly treeStableTimer: number
}

const schema: Schema<SchedulerOptions, Checked> = z
  .strictObject({
    ...commonShape,
    ...importanceShape,
    branch: z.string("Give one branch, as in 'main'; for several, use changeFilter.").nullable().optional(),
    treeStableTimer: treeStableTimerSchema,
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
  needs: ['schedulers'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { branch } = options
    followBranches(host, options, (name) => branch === undefined || name === branch)
  },
})
