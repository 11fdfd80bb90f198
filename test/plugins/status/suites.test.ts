import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { statusSuite } from 'boltbot/plugin-sdk/testing'
import { consoleStatus } from 'boltbot/plugins/status/console'
import { irc } from 'boltbot/plugins/status/irc'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { missingSlave } from 'boltbot/plugins/status/missing-slave'
import { pbListener } from 'boltbot/plugins/status/pb-listener'
import { web } from 'boltbot/plugins/status/web'
import { myPlugin } from '../../../plugin-sdk/templates/status/index.ts'
import { reservePort } from '../../e2e/rig/ports.ts'
import { connectStatusClient, type PbStatusClient } from './pb-status-client.ts'

const nothing = { async [Symbol.asyncDispose]() {} }

statusSuite(test, {
  name: 'status/mail',
  make: async () => ({
    ...nothing,
    plugin: () => mailNotifier({ fromaddr: 'ci@example.org', extraRecipients: ['team@example.org'], mode: 'failing' }),
    told: (rig) => rig.mails,
  }),
})
statusSuite(test, {
  name: 'status/irc',
  make: async () => ({
    ...nothing,
    plugin: () => irc({ host: 'irc.example.org', nick: 'hellobot', channels: ['#hello'], notify: ['failure'] }),
    told: (rig) => rig.irc.lines('#hello'),
  }),
})
statusSuite(test, {
  name: 'status/console',
  async make() {
    const told: string[] = []
    const stream = { isTTY: false, write: (text: string) => told.push(text) > 0 }
    return {
      ...nothing,
      plugin: () => consoleStatus({ stream }),
      told: () => told.filter((line) => /failure/.test(line)),
    }
  },
})
statusSuite(test, {
  name: 'status/missing-slave',
  make: async () => ({ ...nothing, plugin: () => missingSlave() }),
})
statusSuite(test, {
  name: 'status/web',
  config: { http: { port: 0 } },
  make: async () => ({ ...nothing, plugin: () => web() }),
})
statusSuite(test, {
  name: 'status/pb-listener',
  async make() {
    const port = await reservePort()
    const clients: PbStatusClient[] = []
    return {
      plugin: () => pbListener({ port, user: 'looker', password: 'open sesame' }),
      async attend() {
        const client = await connectStatusClient(port, 'looker', 'open sesame')
        clients.push(client)
        await client.perspective.call('subscribe', ['full', 5, client.target])
      },
      told: () => clients.flatMap(({ told }) => told.filter((line) => line.startsWith('buildFinished'))),
      async [Symbol.asyncDispose]() {
        for (const client of clients) client[Symbol.dispose]()
      },
    }
  },
})
statusSuite(test, {
  name: 'of the template',
  async make() {
    const told: unknown[] = []
    let broken = false
    const server = createServer(async (request, response) => {
      if (!broken) told.push(await json(request))
      response.writeHead(broken ? 503 : 200).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    return {
      plugin: () => myPlugin({ url: `http://127.0.0.1:${port}/` }),
      told: () => told,
      breakOutside: (given) => void (broken = given),
      async [Symbol.asyncDispose]() {
        server.closeAllConnections()
        server.close()
        await once(server, 'close')
      },
    }
  },
})
