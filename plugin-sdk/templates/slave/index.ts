import { definePlugin } from 'boltbot/plugin-sdk'
import { openConnection } from './connection.ts'

export interface MyPluginOptions {
  /** Name of the slave in the config. */
  readonly slave: string
}

/** Runs the shell commands of builds on this machine, without a slave program. */
export const myPlugin = definePlugin({
  name: 'my-plugin',
  kind: 'slave',
  needs: ['slaves', 'directory'],
  id: ({ slave }: MyPluginOptions) => `my-plugin ${slave}`,
  startsSlaves: true,
  apply(_host, _options) {},
  async start(host, { slave }) {
    const connection = openConnection({ slave, folder: await host.directory(), clock: host.clock })
    await host.slaves.attach(connection)
    return { [Symbol.dispose]: () => connection.close('the master stops') }
  },
})
