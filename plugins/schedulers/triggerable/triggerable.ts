import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type CheckedCommon, type CommonOptions, commonShape } from '../options.ts'

export interface TriggerableOptions extends CommonOptions {
  /** Why its builds were started, for people; default: `triggered by full #12`. */
  readonly reason?: string | undefined
}

const schema: Schema<TriggerableOptions, CheckedCommon> = z.strictObject(commonShape)

/**
 * Builds when a step of another build says so, and only then: the step `trigger` names it. Its requests are never built together
 * with others, not even with those of another trigger. Properties of the trigger win over those given here.
 *
 * @example
 * const packages = triggerable({ name: 'packages', builders: [tarball] })
 * // a step of another builder: trigger({ schedulerNames: [packages], waitForFinish: true })
 */
export const triggerable = definePlugin({
  name: 'triggerable',
  kind: 'scheduler',
  needs: ['schedulers'],
  schema,
  id: ({ name }) => name,
  apply(host, options) {
    const { name, builders, properties, reason, priority } = options
    host.registerScheduler({
      name,
      builders,
      triggerable: true,
      initial: null,
      wants: () => false,
      decide(input) {
        if (input.kind !== 'trigger') return { state: null }
        const buildset = {
          reason: reason ?? input.reason,
          sourceStamp: input.sourceStamp,
          properties: { ...properties, ...input.properties },
          merge: false,
          ...(priority !== undefined && { priority }),
        }
        return { state: null, buildsets: [buildset] }
      },
    })
  },
})
