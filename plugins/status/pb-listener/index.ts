import { definePlugin, type Host } from 'boltbot/plugin-sdk'
import { joinPbPort } from '../../ports/pb/pb-port.ts'
import { createStatusClient, type StatusClient } from './client.ts'
import { type PbListener, type PbListenerOptions, pbListenerSchema } from './options.ts'

export type { PbListenerOptions } from './options.ts'

/**
 * Lets status clients look and be told over Perspective Broker: `boltbot statuslog --master`, `boltbot try --connect=ssh --wait`, and
 * those that were made for Buildbot 0.7 and 0.8. They see everything and change nothing.
 *
 * @example status: [pbListener({ port: 9988, password: secret('status') })]
 */
export const pbListener = definePlugin<'status', PbListenerOptions, PbListener>({
  name: 'status/pb-listener',
  kind: 'status',
  needs: ['secrets'],
  schema: pbListenerSchema,
  apply(host) {
    const clients = new Set<StatusClient>()
    CLIENTS.set(host, clients)
    const each = (act: (client: StatusClient) => void) => {
      for (const client of clients) act(client)
    }
    host.tap('buildStarted', (event) => each((client) => client.buildStarted(event)))
    host.tap('stepStarted', (event) => each((client) => client.stepStarted(event)))
    host.tap('logAppended', (event) => each((client) => client.logAppended(event)))
    host.tap('stepFinished', (event) => each((client) => client.stepFinished(event)))
    host.tap('buildFinished', (event) => each((client) => client.buildFinished(event)))
    host.tap('buildsetFinished', (event) => each((client) => client.buildsetFinished(event)))
    host.tap('requestCancelled', (event) => each((client) => client.requestCancelled(event)))
    for (const hook of ['slaveConnected', 'slaveLost', 'configApplied'] as const)
      host.tap(hook, () => each((client) => client.buildersChanged()))
  },
  doctor: async (doctor, { port }: PbListener) => [await doctor.port('status clients connect', port.port, port.host)],
  async start(host, { port, user, password }) {
    const clients = CLIENTS.get(host)!
    await joinPbPort(host, port, {
      kind: 'status client',
      users: [user],
      password: (given) => (given === user ? host.secrets.resolve(password) : undefined),
      async enter(session) {
        const client = createStatusClient(host, session)
        clients.add(client)
        void session.closed.then(() => {
          clients.delete(client)
          host.log.info('status client gone', { peer: session.peer })
          client[Symbol.dispose]()
        })
        return client.perspective
      },
    })
  },
})

/** From `apply` to `start`. */
const CLIENTS = new WeakMap<Host, Set<StatusClient>>()
