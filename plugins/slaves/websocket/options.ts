import { type Duration, durationMs, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type Address, parsePort } from '../../ports/address.ts'

export interface AgentsOptions {
  /** `9990`, or `'tcp:9990:interface=0.0.0.0'`; without an interface only this machine can connect. 0: any free port. */
  readonly port: number | string
  /** PEM files; slaves then connect with `wss:`. Left out: plain, for one machine or a network you trust. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Connections at once, logged in or not; default 2000. */
  readonly maxConnections?: number | undefined
  /** Connections at once that have not logged in yet; default 200. */
  readonly maxPending?: number | undefined
  /** From the first byte to the login; default 10 seconds. */
  readonly loginTimeout?: Duration | undefined
  /** Failed logins a minute and address; then it is turned away for a minute. Default 20. */
  readonly loginAttempts?: number | undefined
  /** Told the port that was opened, which matters when `port` is 0. */
  readonly onListening?: ((port: number) => void) | undefined
}

/** Options after the check: complete, times in ms. */
export interface Agents {
  readonly port: Address
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly maxConnections: number
  readonly maxPending: number
  readonly loginTimeout: number
  readonly loginAttempts: number
  readonly onListening: ((port: number) => void) | undefined
}

const NOT_A_PORT = 'Give a port, as 9990 or "tcp:9990:interface=127.0.0.1".'
const file = z.string('Give the path of a PEM file.').min(1, 'Give the path of a PEM file.')
const amount = z.int('Give a whole number, 1 or more.').min(1, 'Give a whole number, 1 or more.')

const shape = z.strictObject({
  port: z
    .union([z.number(), z.string()], NOT_A_PORT)
    .refine((value) => parsePort(value) !== undefined, NOT_A_PORT)
    .transform((value) => parsePort(value)!),
  tls: z.strictObject({ certFile: file, keyFile: file }).optional(),
  maxConnections: amount.default(2000),
  maxPending: amount.default(200),
  loginTimeout: z
    .custom<Duration>(
      (value) => (typeof value === 'number' || typeof value === 'string') && (durationMs(value) ?? 0) > 0,
      'Give seconds, or text such as "10s".',
    )
    .transform((value) => durationMs(value) ?? 0)
    .default(10_000),
  loginAttempts: amount.default(20),
  onListening: z.custom<(port: number) => void>((value) => typeof value === 'function', 'Give a function.').optional(),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const agentsSchema = shape as unknown as Schema<AgentsOptions, Agents>
