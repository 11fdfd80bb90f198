import { type Duration, definePlugin, durationMs, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { buildsetOf, type CheckedCommon, type CommonOptions, commonShape } from '../options.ts'
import { createTimedBuilds } from '../timed-builds.ts'
import { checkTimed, type TimedOptions, timedShape, wantsTimed } from '../timed-options.ts'
import { createPeriodicRules } from './rules.ts'

export interface PeriodicOptions extends CommonOptions, TimedOptions {
  /** From one build to the next; more than 0. */
  readonly periodicBuildTimer: Duration
}

interface Checked extends CheckedCommon, TimedOptions {
  readonly periodicBuildTimer: number
}

const schema: Schema<PeriodicOptions, Checked> = z
  .strictObject({
    ...commonShape,
    ...timedShape,
    periodicBuildTimer: z
      .custom<Duration>(
        (value) => (durationMs(value as Duration) ?? 0) > 0, // any value may be asked
        "Give seconds, or text such as '90m' or '1d'; more than 0.",
      )
      .transform((value) => durationMs(value) ?? 0),
  })
  .superRefine(checkTimed)

/**
 * Builds every so often, counted from when it built last; after a time when the master was down too.
 *
 * @example
 * periodic({ name: 'full-daily', branch: 'main', periodicBuildTimer: '1d', builders: [full] })
 */
export const periodic = definePlugin({
  name: 'periodic',
  kind: 'scheduler',
  needs: ['schedulers'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { name, builders, branch = null, onlyIfChanged = false, periodicBuildTimer: periodMs } = options
    const builds = createTimedBuilds({ branch, onlyIfChanged, buildset: buildsetOf(options) })
    const { initial, decide } = createPeriodicRules({ periodMs, onlyIfChanged, builds })
    host.registerScheduler({ name, builders, initial, decide, wants: (change) => wantsTimed(options, change) })
  },
})
