import { type Duration, durationMs, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { DEFAULT_PB_PORT, type PbAddress, pbPort } from '../../ports/pb/pb-address.ts'

export interface StockWorkersOptions {
  /**
   * `9989` (the default), or `'tcp:9989:interface=0.0.0.0'`; without an interface only this machine can connect. Plugins that name the
   * same port share it. 0: any free port.
   */
  readonly port?: number | string | undefined
  /** Between two signs of life of the master; a worker that does not answer one is given up. Default 10 minutes. */
  readonly keepalive?: Duration | undefined
  /** Told the port that was opened, which matters when `port` is 0. */
  readonly onListening?: ((port: number) => void) | undefined
}

export interface StockWorkers {
  readonly port: PbAddress
  readonly keepalive: number
  readonly onListening: ((port: number) => void) | undefined
}

const shape = z.strictObject({
  port: pbPort.default(DEFAULT_PB_PORT),
  keepalive: z
    .custom<Duration>(
      (value) => (typeof value === 'number' || typeof value === 'string') && (durationMs(value) ?? 0) > 0,
      'Give seconds, or text such as "10m".',
    )
    .transform((value) => durationMs(value) ?? 0)
    .default(600_000),
  onListening: z.custom<(port: number) => void>((value) => typeof value === 'function', 'Give a function.').optional(),
})

// zod marks what may be left out as "or undefined, but there"; the shapes are the same.
export const stockWorkersSchema = shape as unknown as Schema<StockWorkersOptions, StockWorkers>
