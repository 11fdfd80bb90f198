import type { Clock, GuardedAction, SlaveOrder } from 'boltbot/plugin-sdk'
import { asker } from './actions.ts'
import type { Config } from './config/model.ts'
import { unknownSlave } from './errors.ts'
import type { SlavePool } from './slave-pool.ts'

/** What people may ask of slaves; each act passes the one guard first, as `pause`. */
export interface SlaveActions {
  /** Gives it no builds until it is resumed; what it runs goes on. Survives restarts. @throws CiError `BOLT_SLAVES_NO_SUCH`. */
  pauseSlave(order: SlaveOrder, via: string): Promise<void>
  /** @throws CiError `BOLT_SLAVES_NO_SUCH`. */
  resumeSlave(order: SlaveOrder, via: string): Promise<void>
  /** Has it finish what it runs, and then exit; also over a restart of the master. @throws CiError `BOLT_SLAVES_NO_SUCH`, `BOLT_SLAVES_OFFLINE`. */
  releaseSlave(order: SlaveOrder, via: string): Promise<void>
  /** Notes that it will be away for so many milliseconds: it is not missing meanwhile. 0: it is no longer. */
  slaveAway(order: SlaveOrder & { readonly ms: number }, via: string): Promise<void>
}

export interface SlaveActionsDeps {
  readonly clock: Clock
  readonly config: () => Config
  readonly pool: SlavePool
  readonly guard: (action: GuardedAction) => Promise<void>
}

export function createSlaveActions({ clock, config, pool, guard }: SlaveActionsDeps): SlaveActions {
  async function allowed(order: SlaveOrder, via: string): Promise<void> {
    const { slave } = order
    await guard({ action: 'pause', ...asker(order, via), slave })
    if (!config().slaves.has(slave)) throw unknownSlave(slave, config().slaves.keys())
  }

  return {
    async pauseSlave(order, via) {
      await allowed(order, via)
      await pool.pause(order.slave, { by: order.who, at: clock.now(), reason: order.reason })
    },
    async resumeSlave(order, via) {
      await allowed(order, via)
      await pool.pause(order.slave, null)
    },
    async releaseSlave(order, via) {
      await allowed(order, via)
      await pool.release(order.slave, `${order.who} asked for it: ${order.reason}`)
    },
    async slaveAway({ ms, ...order }, via) {
      await allowed(order, via)
      const until = clock.now() + ms
      await pool.plan(order.slave, ms === 0 ? null : { by: order.who, until, reason: order.reason })
    },
  }
}
