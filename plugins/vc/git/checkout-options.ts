import type { Renderable, Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { anyText, type CheckedCheckout, type CheckoutOptions, checkoutSchema, renderable } from '../checkout-options.ts'
import { isWeb } from '../login.ts'

export interface GitOptions extends CheckoutOptions {
  /** URL or path, as git on the slave takes it. */
  readonly repourl: Renderable<string>
  /** User and password (or token) for an https server: unlike in the URL, nobody else on the slave can read them. The password is best a `secret('…')`. */
  readonly credentials?: { readonly username: Renderable<string>; readonly password: Renderable<string> } | undefined
  /** Used when the source stamp names none; default: the one the repository's HEAD names. */
  readonly branch?: Renderable<string> | undefined
  /** Checks out submodules too. Default false. */
  readonly submodules?: boolean | undefined
  /** Fetches no history: `true` for one commit, or so many commits. Default false. */
  readonly shallow?: boolean | number | undefined
}

/** Options after the check: complete, times in ms. */
export interface Checkout extends CheckedCheckout {
  readonly repourl: Renderable<string>
  readonly credentials?: GitOptions['credentials']
  readonly branch?: Renderable<string> | undefined
  readonly submodules: boolean
  /** `null`: all history. */
  readonly shallow: number | null
}

export const gitSchema: Schema<GitOptions, Checkout> = checkoutSchema({
  repourl: renderable,
  credentials: z.strictObject({ username: renderable, password: anyText }).optional(),
  branch: renderable.optional(),
  submodules: z.boolean('Give true or false.').default(false),
  shallow: z
    .custom<boolean | number>(
      (value) => typeof value === 'boolean' || (Number.isInteger(value) && (value as number) > 0), // an integer is a number
      'Give true for one commit, or how many commits.',
    )
    .default(false)
    .transform((value) => (value === true ? 1 : value === false ? null : value)),
}).refine(({ credentials, repourl }) => credentials === undefined || isWeb(repourl), {
  path: ['repourl'],
  message:
    "With credentials it must begin with https:// or http://; a server by ssh wants a key of the slave's account.",
})
