import { definePlugin, type PluginInstance, type Result, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { buildsetOf, type CheckedCommon, type CommonOptions, commonShape } from '../options.ts'
import { nameOfScheduler, schedulerSchema } from '../scheduler-name.ts'

export interface DependentOptions extends CommonOptions {
  /** The scheduler whose good builds it waits for, by object or name. */
  readonly upstream: PluginInstance<'scheduler'> | string
}

interface Checked extends CheckedCommon {
  readonly upstream: string
}

const schema: Schema<DependentOptions, Checked> = z.strictObject({
  ...commonShape,
  upstream: schedulerSchema('Give the scheduler it follows, or its name.').transform(nameOfScheduler),
})

/**
 * Builds what another scheduler built, after all builds of it ended well (success or warnings): the same source stamp, to the
 * revision, the changes and the patch. Nothing is built when one of them failed.
 *
 * @example
 * const tests = scheduler({ name: 'tests', branch: 'main', treeStableTimer: '5m', builders: [full] })
 * const packages = dependent({ name: 'package', upstream: tests, builders: [tarball] })
 */
export const dependent = definePlugin({
  name: 'dependent',
  kind: 'scheduler',
  needs: ['schedulers'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { name, builders, upstream } = options
    const buildset = buildsetOf(options)
    host.registerScheduler({
      name,
      builders,
      follows: [upstream],
      initial: null,
      wants: () => false,
      decide(input) {
        if (input.kind !== 'buildset' || !GOOD.has(input.result)) return { state: null }
        return { state: null, buildsets: [{ ...buildset, sourceStamp: input.sourceStamp }] }
      },
    })
  },
})

/** Not `skipped`: then nothing says that the tree is good. */
const GOOD: ReadonlySet<Result> = new Set(['success', 'warnings'])
