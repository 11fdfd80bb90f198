import { isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { DEFAULT_PB_PORT, type PbAddress, pbPort } from '../../ports/pb/pb-address.ts'

export interface PbChangeSourceOptions {
  /** What senders log in with; Buildbot's own default is `change`. */
  readonly user: string
  /** Buildbot's own default is `changepw`, known to everybody. */
  readonly password: string | SecretRef
  /**
   * `9989` (the default), or `'tcp:9989:interface=0.0.0.0'`; without an interface only this machine can connect. Plugins that name the
   * same port share it.
   */
  readonly port?: number | string | undefined
  /** Text that file names must begin with; it is cut off. Files without it are left out. Default: none. */
  readonly prefix?: string | undefined
}

export interface PbChanges {
  readonly user: string
  readonly password: string | SecretRef
  readonly port: PbAddress
  readonly prefix: string
}

const shape = z.strictObject({
  user: z.string('Give a name.').min(1, 'Give a name that is not empty.'),
  password: z.custom<string | SecretRef>(
    (value) => (typeof value === 'string' && value !== '') || isSecretRef(value),
    "Give a password, best as secret('name').",
  ),
  port: pbPort.default(DEFAULT_PB_PORT),
  prefix: z.string('Give a text.').default(''),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const pbChangesSchema = shape as unknown as Schema<PbChangeSourceOptions, PbChanges>
