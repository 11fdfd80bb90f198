import { definePlugin, type Host, messageOf } from 'boltbot/plugin-sdk'
import { unauthorized } from '../../../wire/pb/remote-error.ts'
import { Referenceable } from '../../../wire/pb/values.ts'
import type { PbSession } from '../../ports/pb/account.ts'
import { joinPbPort } from '../../ports/pb/pb-port.ts'
import { createStockConnection, keepAlive } from '../stock-connection.ts'
import { type StockWorkers, type StockWorkersOptions, stockWorkersSchema } from './options.ts'
import { askWorkerInfo } from './worker-info.ts'
import { createWorkerLink } from './worker-link.ts'

export type { StockWorkersOptions } from './options.ts'

/**
 * Slaves that run Buildbot's own worker, 0.8 to 4.x, and connect over Perspective Broker: nothing is changed on them.
 *
 * @example transports: [stockWorkers({ port: 'tcp:9989:interface=0.0.0.0' })]
 */
export const stockWorkers = definePlugin<'slave', StockWorkersOptions, StockWorkers>({
  name: 'slaves/pb',
  kind: 'slave',
  needs: ['slaves'],
  schema: stockWorkersSchema,
  apply() {},
  doctor: async (doctor, { port }: StockWorkers) => [await doctor.port('workers connect', port.port, port.host)],
  async start(host: Host, options: StockWorkers) {
    const { port } = await joinPbPort(host, options.port, {
      kind: 'slave',
      password: (user) => host.slaves.password(user),
      enter: (session) => attach(session, host, options),
    })
    options.onListening?.(port)
  },
})

/** A worker that is not attached after so long is sent away, to come again. */
const ATTACH_MS = 60_000

async function attach(session: PbSession, host: Host, { keepalive }: StockWorkers): Promise<Referenceable> {
  const { mind, user: slave, peer } = session
  if (mind === null) throw unauthorized('A worker must let the master call it')
  using _deadline = host.clock.timer(ATTACH_MS, () => session.close('it did not attach in time'))
  try {
    mind.call('print', [], { message: 'attached' }).catch(() => {}) // it is only for the worker's log
    const link = createWorkerLink(session, mind, await askWorkerInfo(mind))
    const connection = createStockConnection(link, host.clock)
    await host.slaves.attach(connection)
    keepAlive(link, host.clock, keepalive)
    return new Referenceable({
      keepalive: () => null,
      shutdown() {
        connection.leave('the worker was asked to shut down')
        return null
      },
    })
  } catch (error) {
    host.log.warn('slave not attached', { slave, peer, reason: messageOf(error) })
    // Anything else would end the worker's process.
    throw unauthorized(messageOf(error))
  }
}
