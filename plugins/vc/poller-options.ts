import { type Branches, type Duration, durationMs } from 'boltbot/plugin-sdk'
import { z } from 'zod'

/** What all pollers of version control systems take. */
export interface PollerOptions {
  /** Default 10 minutes. */
  readonly pollInterval?: Duration | undefined
  /** Default true. */
  readonly pollAtLaunch?: boolean | undefined
  /** Set on each change. */
  readonly project?: string | undefined
  readonly category?: string | undefined
  readonly codebase?: string | undefined
  /** The page of a revision. */
  readonly revlink?: ((revision: string) => string) | undefined
  /** The most changes of one poll; older ones are skipped, and the log says which. Default 1000. */
  readonly maxChanges?: number | undefined
}

/** After the check. */
export interface CheckedPoller {
  readonly pollInterval: Duration
  readonly pollAtLaunch: boolean
  readonly project?: string | undefined
  readonly category?: string | undefined
  readonly codebase?: string | undefined
  readonly revlink?: ((revision: string) => string) | undefined
  readonly maxChanges: number
}

export const text = z.string('Give a text.')

export const address = text
  .min(1, 'Give the URL or path of the repository.')
  .refine((url) => !url.startsWith('-') && !url.includes('\0'), 'A URL or path does not begin with "-".')

export const program = (name: string) => text.min(1, `Give the path of the ${name} program.`).default(name)

export const duration = (otherwise: Duration) =>
  z
    .custom<Duration>(
      (value) => (durationMs(value as Duration) ?? 0) > 0, // any value may be asked
      "Give seconds, or text such as '90s' or '10m'.",
    )
    .default(otherwise)

export const pollerFields = {
  pollInterval: duration('10m'),
  pollAtLaunch: z.boolean('Give true or false.').default(true),
  project: text.optional(),
  category: text.optional(),
  codebase: text.optional(),
  revlink: z
    .custom<(revision: string) => string>(
      (value) => typeof value === 'function',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is shown as code
      'Give a function, as in (revision) => `https://example.org/commit/${revision}`.',
    )
    .optional(),
  maxChanges: z.int('Give a whole number.').min(1, 'Give 1 or more.').default(1000),
}

export const branchesField = z.custom<Branches>(
  (value) =>
    value === true ||
    (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && item !== '')),
  "Give a list of branches, as in ['main', 'feature/*'], or true for all.",
)
