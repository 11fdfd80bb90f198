import { isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type PbAddress, pbPort } from '../../ports/pb/pb-address.ts'

export interface PbListenerOptions {
  /**
   * `9988`, or `'tcp:9988:interface=0.0.0.0'`; without an interface only this machine can connect. Plugins that name the same port
   * share it.
   */
  readonly port: number | string
  /** What clients log in with. Default `statusClient`, which those of Buildbot take unless told otherwise. */
  readonly user?: string | undefined
  /** Those of Buildbot take `clientpw` unless told otherwise, known to everybody. */
  readonly password: string | SecretRef
}

export interface PbListener {
  readonly port: PbAddress
  readonly user: string
  readonly password: string | SecretRef
}

const shape = z.strictObject({
  port: pbPort,
  user: z.string('Give a name.').min(1, 'Give a name that is not empty.').default('statusClient'),
  password: z.custom<string | SecretRef>(
    (value) => (typeof value === 'string' && value !== '') || isSecretRef(value),
    "Give a password, best as secret('name').",
  ),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const pbListenerSchema = shape as unknown as Schema<PbListenerOptions, PbListener>
