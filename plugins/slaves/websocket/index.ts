import { readFile } from 'node:fs/promises'
import { definePlugin, type Host } from 'boltbot/plugin-sdk'
import { addressText } from '../../ports/address.ts'
import { openGate } from './gate.ts'
import { createWebServer, listen } from './listen.ts'
import { type Agents, type AgentsOptions, agentsSchema } from './options.ts'

export type { AgentsOptions } from './options.ts'

/**
 * Slaves that run our agent and connect by WebSocket, each with the password of its `slave({ name, password })`.
 *
 * @example
 * transports: [agents({ port: 'tcp:9990:interface=0.0.0.0', tls: { certFile: 'tls/cert.pem', keyFile: 'tls/key.pem' } })]
 */
export const agents = definePlugin<'slave', AgentsOptions, Agents>({
  name: 'slaves/websocket',
  kind: 'slave',
  needs: ['slaves', 'state'],
  schema: agentsSchema,
  apply() {},
  async doctor(doctor, { port, tls }: Agents) {
    const open = await doctor.port('slaves connect', port.port, port.host)
    return tls ? [open, doctor.certificate(tls.certFile, await readFile(tls.certFile))] : [open]
  },
  async start(host: Host, options: Agents): Promise<AsyncDisposable> {
    const server = await createWebServer(options)
    const port = await listen(server, options)
    const gate = openGate(server, host, options)
    host.log.info('listening', {
      port,
      address: addressText({ ...options.port, port }),
      tls: options.tls !== undefined,
    })
    options.onListening?.(port)
    return {
      async [Symbol.asyncDispose]() {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        gate.close('the master stops')
        server.closeAllConnections()
        await closed
      },
    }
  },
})
