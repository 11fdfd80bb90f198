import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { buildsetOf, type CheckedCommon, type CommonOptions, commonShape } from '../options.ts'
import { createTimedBuilds } from '../timed-builds.ts'
import { checkTimed, type TimedOptions, timedShape, wantsTimed } from '../timed-options.ts'
import { fieldsShape, givenFields, patternOf, type TimeFields } from './fields.ts'
import { createNightlyRules } from './rules.ts'
import { createTimetable, isTimeZone, patternProblem } from './timetable.ts'

export interface NightlyOptions extends CommonOptions, TimedOptions, TimeFields {
  /** A whole pattern in place of the fields: `'0 3 * * mon-fri'`, with seconds in front if it has six parts; or `'@daily'`. */
  readonly cron?: string | undefined
  /** `'Europe/Berlin'`; default: where the master is. */
  readonly timeZone?: string | undefined
  /** Is a build whose moment passed while the master was down made up for? Once, however many were missed. Default true. */
  readonly catchUp?: boolean | undefined
}

interface Checked extends CheckedCommon, TimedOptions {
  readonly cron: string
  readonly timeZone: string | undefined
  readonly catchUp: boolean
}

const schema: Schema<NightlyOptions, Checked> = z
  .strictObject({
    ...commonShape,
    ...timedShape,
    ...fieldsShape,
    cron: z.string("Give a pattern such as '0 3 * * mon-fri'.").optional(),
    timeZone: z
      .string("Give a time zone such as 'Europe/Berlin'.")
      .refine(isTimeZone, "Give a time zone such as 'Europe/Berlin' or 'UTC'.")
      .optional(),
    catchUp: z.boolean('Give true or false.').default(true),
  })
  .superRefine((options, issues) => {
    checkTimed(options, issues)
    const fields = givenFields(options)
    const tell = (key: string, message: string) => issues.addIssue({ code: 'custom', path: [key], message })
    if (options.cron !== undefined) {
      for (const key of fields) tell(key, 'The time is in cron already: leave one of them out.')
      const problem = patternProblem(options.cron)
      if (problem !== undefined) tell('cron', problem)
      return
    }
    const problem = patternProblem(patternOf(options))
    if (problem !== undefined) tell(fields.find((key) => key === 'dayOfMonth') ?? fields[0] ?? 'cron', problem)
  })
  .transform(({ minute, hour, dayOfMonth, month, dayOfWeek, ...options }) => ({
    ...options,
    timeZone: options.timeZone,
    cron: options.cron ?? patternOf({ minute, hour, dayOfMonth, month, dayOfWeek }),
  }))

/**
 * Builds at moments of the day, week, month or year; each once. The times are those of the clock on the wall: daylight saving is
 * followed.
 *
 * @example
 * nightly({ name: 'nightly', branch: 'main', hour: 3, builders: [full] })
 * nightly({ name: 'workdays', branch: 'main', hour: [9, 17], dayOfWeek: 'mon-fri', timeZone: 'Europe/Berlin', builders: [full] })
 */
export const nightly = definePlugin({
  name: 'nightly',
  kind: 'scheduler',
  needs: ['schedulers'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { name, builders, branch = null, onlyIfChanged = false, timeZone, catchUp } = options
    const builds = createTimedBuilds({ branch, onlyIfChanged, buildset: buildsetOf(options) })
    const timetable = createTimetable(options.cron, timeZone)
    const { initial, decide } = createNightlyRules({ timetable, timeZone, catchUp, onlyIfChanged, builds })
    host.registerScheduler({ name, builders, initial, decide, wants: (change) => wantsTimed(options, change) })
  },
})
