import { definePlugin, type Host } from 'boltbot/plugin-sdk'
import { missingSlaveSchema } from './options.ts'
import { back, connected, lost, missing } from './state.ts'
import { createWatch, type Watch } from './watch.ts'

export type { MissingSlaveOptions } from './options.ts'

/**
 * Tells the people of a slave when it is missing, and when it is back. Who they are says `notifyOnMissing` of the slave, after how long
 * `missingTimeout`.
 * @example
 * const bsd = slave({ name: 'bsd', password: secret('bsd'), notifyOnMissing: ['ann@example.org'], missingTimeout: '2h' })
 * defineMaster({ projectName: 'Hello', transports: [agents({ port: 9990 })], slaves: [bsd], builders: [], status: [missingSlave({ reminder: '1d' })] })
 */
export const missingSlave = definePlugin({
  name: 'status/missing-slave',
  kind: 'status',
  needs: ['notify', 'state'],
  durable: true,
  schema: missingSlaveSchema,
  apply(host, options) {
    const watch = host.own(createWatch(host, options))
    watches.set(host, watch)
    host.tap('slaveLost', (event) => watch.take(event, (state) => lost(state, event)))
    host.tap('slaveConnected', (event) => watch.take(event, (state) => connected(state, event.slave)))
    host.tap('slaveMissing', (event) => watch.take(event, (state) => missing(state, event, options)))
    host.tap('slaveBack', (event) => watch.take(event, (state) => back(state, event, options)))
  },
  async start(host) {
    await watches.get(host)?.start()
  },
})

/** From `apply` to `start`. */
const watches = new WeakMap<Host, Watch>()
