import { type Duration, durationMs, isSecretRef, type Renderable, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'

export interface GitOptions {
  /** URL or path, as git on the slave takes it. */
  readonly repourl: Renderable<string>
  /**
   * - `update` (default): the tree stays and is brought to the revision; what builds left behind stays too.
   * - `copy`: such a tree is kept in `source`, and each build gets a copy of it.
   * - `clobber`: each build clones anew.
   * - `export`: as `clobber`, without the folder `.git`.
   */
  readonly mode?: CheckoutMode | undefined
  /** Used when the source stamp names none; default: the one the repository's HEAD names. */
  readonly branch?: Renderable<string> | undefined
  /** Takes the newest of the branch, whatever revision the build is of. Default false. */
  readonly alwaysUseLatest?: boolean | undefined
  /** How long to wait before another try of a failed checkout, and how many more tries. Default: none. */
  readonly retry?: readonly [delay: Duration, repeats: number] | undefined
  /** Where the tree goes, below the builder's directory; default `build`. */
  readonly workdir?: Renderable<string> | undefined
  /** Environment of git. */
  readonly env?: Readonly<Record<string, Renderable<string> | null>> | undefined
  /** A command ends when it printed nothing for so long; default 20 minutes; `null`: never. */
  readonly timeout?: Duration | null | undefined
  /** Checks out submodules too. Default false. */
  readonly submodules?: boolean | undefined
  /** Fetches no history: `true` for one commit, or so many commits. Default false. */
  readonly shallow?: boolean | number | undefined
}

export type CheckoutMode = (typeof MODES)[number]
const MODES = ['update', 'copy', 'clobber', 'export'] as const

/** Options after the check: complete, times in ms. */
export interface Checkout {
  readonly repourl: Renderable<string>
  readonly mode: CheckoutMode
  readonly branch?: Renderable<string> | undefined
  readonly alwaysUseLatest: boolean
  readonly retry: { readonly delay: number; readonly repeats: number }
  readonly workdir: Renderable<string>
  readonly env: Readonly<Record<string, Renderable<string> | null>>
  readonly timeout: number | null
  readonly submodules: boolean
  /** `null`: all history. */
  readonly shallow: number | null
}

const text = z.custom<Renderable<string>>(
  (value) =>
    (typeof value === 'string' && value !== '' && !value.startsWith('-')) ||
    isSecretRef(value) ||
    (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'interpolation'),
  'Give a text that is not empty and does not begin with "-", or what interpolate or withProperties gives.',
)
const isDuration = (value: unknown): value is Duration => durationMs(value as Duration) !== undefined // any value may be asked
const durationHint = "Give seconds, or text such as '90s' or '20m'."
const flag = z.boolean('Give true or false.')

export const checkoutSchema: Schema<GitOptions, Checkout> = z
  .strictObject({
    repourl: text,
    mode: z.enum(MODES, `Give one of ${MODES.join(', ')}.`).default('update'),
    branch: text.optional(),
    alwaysUseLatest: flag.default(false),
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
    workdir: text.default('build'),
    env: z.record(z.string(), z.custom<Renderable<string>>().nullable()).default({}),
    timeout: z
      .custom<Duration | null>((value) => value === null || isDuration(value), durationHint)
      .default('20m')
      .transform((value) => (value === null ? null : (durationMs(value) ?? null))),
    submodules: flag.default(false),
    shallow: z
      .custom<boolean | number>(
        (value) => typeof value === 'boolean' || (Number.isInteger(value) && (value as number) > 0), // an integer is a number
        'Give true for one commit, or how many commits.',
      )
      .default(false)
      .transform((value) => (value === true ? 1 : value === false ? null : value)),
  })
  .refine(({ mode, workdir }) => mode !== 'copy' || workdir !== 'source', {
    path: ['workdir'],
    message: 'Mode "copy" keeps its own tree in "source". Give another directory.',
  })
