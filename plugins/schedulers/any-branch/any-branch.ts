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
import { type BranchPatterns, branchPatternsSchema, matchesBranch } from './branch-patterns.ts'

export interface AnyBranchOptions extends CommonOptions, ImportanceOptions {
  /** The branches it follows: names, patterns such as `'feature/*'`, regular expressions, `null` for changes without a branch. Default: all. */
  readonly branches?: BranchPatterns | undefined
  /** How long no important change may come to a branch before it is built; default `null`: each important change is built at once. */
  readonly treeStableTimer?: Duration | null | undefined
}

interface Checked extends CheckedCommon, ImportanceOptions {
  readonly branches?: BranchPatterns | undefined
  readonly treeStableTimer: number
}

const schema: Schema<AnyBranchOptions, Checked> = z.strictObject({
  ...commonShape,
  ...importanceShape,
  branches: branchPatternsSchema.optional(),
  treeStableTimer: treeStableTimerSchema,
})

/**
 * Builds many branches, each when it has been quiet for a while: every branch (of every repository, project and codebase) has its
 * own timer, and is never built together with another.
 *
 * @example
 * anyBranch({ name: 'features', branches: [/^feature\//, 'fix-*'], treeStableTimer: '1m', builders: [full] })
 */
export const anyBranch = definePlugin({
  name: 'anyBranch',
  kind: 'scheduler',
  needs: ['schedulers'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { branches } = options
    followBranches(host, options, (branch) => branches === undefined || matchesBranch(branches, branch))
  },
})
