import { type Duration, durationMs, isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { prefixField } from '../prefix.ts'

export interface FreshCvsOptions {
  readonly host: string
  /** Default 4519. */
  readonly port?: number | undefined
  /** As in `userpass` of the daemon's `PBService`. */
  readonly user: string
  readonly password: string | SecretRef
  /** A folder of the repository: files outside of it are left out, and it is stripped from the others. Default: none. */
  readonly prefix?: string | undefined
  /** `'old'`: the daemon is of CVSToys 1.0.9 or earlier, which logs in otherwise. Default `'new'`. */
  readonly login?: 'new' | 'old' | undefined
  /** What an old daemon calls its service; default `cvstoys.notify`. */
  readonly serviceName?: string | undefined
  /** How long nothing may be heard before the daemon is asked for a sign of life; default 5 minutes. */
  readonly keepalive?: Duration | undefined
  /** As `boltbot pollers` shows it for the `cvsPoller` of the same module: that one then brings the changes. */
  readonly repository?: string | undefined
  /** Set on each change. */
  readonly branch?: string | undefined
  readonly category?: string | undefined
  readonly project?: string | undefined
  readonly codebase?: string | undefined
}

export interface FreshCvs extends Omit<FreshCvsOptions, 'port' | 'prefix' | 'login' | 'serviceName' | 'keepalive'> {
  readonly port: number
  readonly prefix: string
  readonly login: 'new' | 'old'
  readonly serviceName: string
  /** Milliseconds. */
  readonly keepalive: number
}

const text = z.string('Give a text.').min(1, 'Give a text that is not empty.')

const shape = z.strictObject({
  host: text,
  port: z.int('Give a port.').min(1, 'Give 1 to 65535.').max(65535, 'Give 1 to 65535.').default(4519),
  user: text,
  password: z.custom<string | SecretRef>(
    (value) => (typeof value === 'string' && value !== '') || isSecretRef(value),
    "Give a password, best as secret('name').",
  ),
  prefix: prefixField,
  login: z.enum(['new', 'old'], "Give 'new', or 'old' for CVSToys 1.0.9 and earlier.").default('new'),
  serviceName: text.default('cvstoys.notify'),
  keepalive: z
    .custom<Duration>(
      (value) => (durationMs(value as Duration) ?? 0) >= 1000, // any value may be asked
      "Give seconds, or text such as '30s' or '5m'.",
    )
    .default('5m')
    .transform((value) => durationMs(value) ?? 0),
  repository: text.optional(),
  branch: text.optional(),
  category: text.optional(),
  project: text.optional(),
  codebase: text.optional(),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const freshCvsSchema = shape as unknown as Schema<FreshCvsOptions, FreshCvs>
