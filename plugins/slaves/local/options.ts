import type { Schema, Slave } from 'boltbot/plugin-sdk'
import { z } from 'zod'

export interface LocalOptions {
  /** Slaves the master starts itself, by object or name; default: all of the config that have no password. */
  readonly slaves?: readonly (Slave | string)[] | undefined
  /**
   * True, the default: the slaves go on when the master stops, so that running builds survive its restart; without a master and
   * without work they exit after ten minutes. False: they are ended with it.
   */
  readonly keepAlive?: boolean | undefined
}

/** Options after the check. */
export interface Local {
  /** `undefined`: all without a password. */
  readonly slaves: readonly string[] | undefined
  readonly keepAlive: boolean
}

const NOT_A_SLAVE = "Give slaves of the config, by object or name: local({ slaves: [linux, 'bsd'] })."

const nameOf = z
  .custom<Slave | string>(
    (value) => (typeof value === 'string' && value !== '') || (value as Slave | null)?.kind === 'slave',
    NOT_A_SLAVE,
  )
  .transform((value) => (typeof value === 'string' ? value : value.name))

const shape = z.strictObject({
  slaves: z.array(nameOf, NOT_A_SLAVE).optional(),
  keepAlive: z.boolean('Give true or false.').default(true),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const localSchema = shape as unknown as Schema<LocalOptions, Local>
