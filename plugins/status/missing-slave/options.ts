import { type Duration, durationMs, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'

export interface MissingSlaveOptions {
  /** How often those told are reminded while it stays missing; default: never. */
  readonly reminder?: Duration | undefined
  /** Told of every missing slave, beside its `notifyOnMissing`: mail addresses, or names that `people` knows. */
  readonly extraRecipients?: readonly string[] | undefined
  /** What goes missing within this time is one message; default `'2m'`. */
  readonly gatherTime?: Duration | undefined
  /** How long a slave must stay before it counts as back; default `'5m'`. */
  readonly settleTime?: Duration | undefined
}

/** Options after the check, times in milliseconds. */
export interface Watching {
  /** `null`: never. */
  readonly reminderMs: number | null
  readonly extraRecipients: readonly string[]
  readonly gatherMs: number
  readonly settleMs: number
}

const time = z.custom<Duration>(
  (value) => (typeof value === 'number' || typeof value === 'string') && durationMs(value) !== undefined,
  "Give a number of seconds, or text such as '90s', '5m' or '1d'.",
)
const span = time.refine((value) => durationMs(value) !== 0, 'Give more than no time.')
const name = z
  .string('Give a mail address, or a name.')
  .regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, 'Give a mail address, or a name.')

export const missingSlaveSchema: Schema<MissingSlaveOptions, Watching> = z
  .strictObject({
    reminder: span.optional(),
    extraRecipients: z.array(name, 'Give a list of mail addresses or names.').default([]),
    gatherTime: time.default('2m'),
    settleTime: time.default('5m'),
  })
  .transform(({ reminder, extraRecipients, gatherTime, settleTime }) => ({
    reminderMs: reminder === undefined ? null : (durationMs(reminder) ?? null),
    extraRecipients,
    gatherMs: durationMs(gatherTime) ?? 0,
    settleMs: durationMs(settleTime) ?? 0,
  })) as unknown as Schema<MissingSlaveOptions, Watching> // zod marks what may be left out as "or undefined, but there"
