import { isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { DEFAULT_PB_PORT, type PbAddress, pbPort } from '../../ports/pb/pb-address.ts'

export interface DebugPortOptions {
  /** Who knows it may do what the command line of the master's machine may: see there. */
  readonly debugPassword: string | SecretRef
  /**
   * `9989` (the default), or `'tcp:9989:interface=0.0.0.0'`; without an interface only this machine can connect. Plugins that name the
   * same port share it.
   */
  readonly port?: number | string | undefined
}

export interface DebugPort {
  readonly debugPassword: string | SecretRef
  readonly port: PbAddress
}

const shape = z.strictObject({
  debugPassword: z.custom<string | SecretRef>(
    (value) => (typeof value === 'string' && value !== '') || isSecretRef(value),
    "Give a password, best as secret('name').",
  ),
  port: pbPort.default(DEFAULT_PB_PORT),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const debugPortSchema = shape as unknown as Schema<DebugPortOptions, DebugPort>
