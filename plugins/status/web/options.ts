import { isPasswordHash, isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'

export interface WebOptions {
  /** Who may sign in, with the hash of the password that `boltbot hash-password` prints, or `secret('…')` of it. */
  readonly users?: Readonly<Record<string, string | SecretRef>> | undefined
  /** The header by which a trusted proxy (`http.trustedProxies`) names who signed in there: `x-forwarded-user`. */
  readonly userHeader?: string | undefined
}

export interface WebAccess {
  readonly users: Readonly<Record<string, string | SecretRef>>
  readonly userHeader: string | undefined
}

const hash = z.custom<string | SecretRef>(
  (value) => isSecretRef(value) || (typeof value === 'string' && isPasswordHash(value)),
  "Give what `boltbot hash-password` prints, or secret('…') of it: never the password itself.",
)

export const webSchema: Schema<WebOptions, WebAccess> = z.strictObject({
  users: z.record(z.string().regex(/^[^:\p{Cc}]+$/u, 'Give a name without a colon.'), hash).default({}),
  userHeader: z
    .string()
    .regex(/^[A-Za-z][\w-]*$/, "Give the name of a header, as 'x-forwarded-user'.")
    .transform((name) => name.toLowerCase())
    .optional(),
}) as unknown as Schema<WebOptions, WebAccess> // zod marks what may be left out as "or undefined, but there"
