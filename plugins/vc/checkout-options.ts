import { type Duration, durationMs, isSecretRef, type Renderable } from 'boltbot/plugin-sdk'
import { z } from 'zod'

/** What all steps take that check a tree out. */
export interface CheckoutOptions {
  /**
   * - `update` (default): the tree stays and is brought to the revision; what builds left behind stays too.
   * - `copy`: such a tree is kept in `source`, and each build gets a copy of it.
   * - `clobber`: each build checks out anew.
   * - `export`: as `clobber`, without the folders of the version control system.
   */
  readonly mode?: CheckoutMode | undefined
  /** Takes the newest, whatever revision the build is of. Default false. */
  readonly alwaysUseLatest?: boolean | undefined
  /** How long to wait before another try of a failed checkout, and how many more tries. Default: none. */
  readonly retry?: readonly [delay: Duration, repeats: number] | undefined
  /** Where the tree goes, below the builder's directory; default `build`. */
  readonly workdir?: Renderable<string> | undefined
  /** Environment of the program. */
  readonly env?: Readonly<Record<string, Renderable<string> | null>> | undefined
  /** A command ends when it printed nothing for so long; default 20 minutes; `null`: never. */
  readonly timeout?: Duration | null | undefined
}

export type CheckoutMode = (typeof MODES)[number]
const MODES = ['update', 'copy', 'clobber', 'export'] as const

/** After the check: complete, times in ms. */
export interface CheckedCheckout {
  readonly mode: CheckoutMode
  readonly alwaysUseLatest: boolean
  readonly retry: { readonly delay: number; readonly repeats: number }
  readonly workdir: Renderable<string>
  readonly env: Readonly<Record<string, Renderable<string> | null>>
  readonly timeout: number | null
}

export const renderable = z.custom<Renderable<string>>(
  (value) =>
    (typeof value === 'string' && value !== '' && !value.startsWith('-')) ||
    isSecretRef(value) ||
    (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'interpolation'),
  'Give a text that is not empty and does not begin with "-", or what interpolate or withProperties gives.',
)
/** Also one that begins with "-": it is never on a command line. */
export const anyText = z.custom<Renderable<string>>(
  (value) => (typeof value === 'string' && value !== '') || renderable.safeParse(value).success,
  "Give secret('name'), or a text.",
)
const isDuration = (value: unknown): value is Duration => durationMs(value as Duration) !== undefined // any value may be asked
const durationHint = "Give seconds, or text such as '90s' or '20m'."

const FIELDS = {
  mode: z.enum(MODES, `Give one of ${MODES.join(', ')}.`).default('update'),
  alwaysUseLatest: z.boolean('Give true or false.').default(false),
  retry: z
    .custom<readonly [Duration, number]>(
      (value) =>
        Array.isArray(value) &&
        value.length === 2 &&
        isDuration(value[0]) &&
        Number.isInteger(value[1]) &&
        value[1] >= 0,
      "Give a delay and how many more tries, as in ['10s', 3].",
    )
    .default([0, 0])
    .transform(([delay, repeats]) => ({ delay: durationMs(delay) ?? 0, repeats })),
  workdir: renderable.default('build'),
  env: z.record(z.string(), z.custom<Renderable<string>>().nullable()).default({}),
  timeout: z
    .custom<Duration | null>((value) => value === null || isDuration(value), durationHint)
    .default('20m')
    .transform((value) => (value === null ? null : (durationMs(value) ?? null))),
}

/** The options of one version control system, with those of all. */
export function checkoutSchema<Fields extends z.ZodRawShape>(fields: Fields) {
  return z
    .strictObject({ ...FIELDS, ...fields })
    .refine((options) => !keepsItsSource(options as Pick<CheckedCheckout, 'mode' | 'workdir'>), {
      path: ['workdir'],
      message: `Mode "copy" keeps its own tree in "source". Give another directory.`,
    })
}

const keepsItsSource = ({ mode, workdir }: Pick<CheckedCheckout, 'mode' | 'workdir'>) =>
  mode === 'copy' && workdir === SOURCE

/** Where mode `copy` keeps its tree. */
export const SOURCE = 'source'
