import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { definePlugin, type Host } from 'boltbot/plugin-sdk'

export interface MyPluginOptions {
  /** Of the TCP port; 0: any that is free. */
  readonly port: number
}

/** Answers each line, the name of a builder, by how its last build ended. For this machine only. */
export const myPlugin = definePlugin({
  name: 'my-plugin',
  kind: 'service',
  apply(_host, _options: MyPluginOptions) {},
  async start(host, { port }) {
    const server = createServer((socket) => {
      socket.on('error', () => {}) // it went away
      host.signal.addEventListener('abort', () => socket.destroy())
      createInterface({ input: socket }).on('line', async (line) =>
        socket.write(`${await answer(host, line.trim())}\n`),
      )
    }).listen(port, '127.0.0.1')
    await once(server, 'listening')
    host.log.info('listening', { address: server.address() })
    return { [Symbol.asyncDispose]: async () => void server.close() }
  },
})

async function answer(host: Host, name: string): Promise<string> {
  try {
    const builder = await host.query.builder(name)
    return builder ? (builder.lastResult ?? 'not built yet') : `there is no builder "${name}"`
  } catch (error) {
    host.log.warn('no answer', { name, error })
    return 'not now'
  }
}
