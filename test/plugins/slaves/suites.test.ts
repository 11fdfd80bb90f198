import { test } from 'node:test'
import { transportSuite, until } from 'boltbot/plugin-sdk/testing'
import { local } from 'boltbot/plugins/slaves/local'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { processes } from 'boltbot/plugins/slaves/process'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { myPlugin } from '../../../plugin-sdk/templates/slave/index.ts'
import { makeBasedir, startAgent } from '../../slave/rig.ts'
import { startShellWorker } from './pb-shell-worker.ts'

transportSuite(test, {
  name: 'slaves/websocket',
  async make() {
    let port = 0
    await using stack = new AsyncDisposableStack()
    const all = stack.move()
    return {
      plugin: () => agents({ port: 0, onListening: (bound) => void (port = bound) }),
      async slave(name, password) {
        await until(() => port > 0, { what: 'the transport to listen' })
        const basedir = makeBasedir(`ws://127.0.0.1:${port}`, { name }, password)
        all.use(basedir)
        return startAgent(basedir.path)
      },
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    }
  },
})
transportSuite(test, {
  name: 'slaves/pb',
  async make() {
    let port = 0
    return {
      plugin: () => stockWorkers({ port: 0, onListening: (bound) => void (port = bound) }),
      async slave(name, password) {
        await until(() => port > 0, { what: 'the transport to listen' })
        return startShellWorker(port, name, password)
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})
transportSuite(test, {
  name: 'slaves/process',
  make: async () => ({
    plugin: () => processes(),
    async slave(name, password, { engines: [engine] }) {
      const key = { master: 'm', slave: name, request: 7, epoch: 1 }
      await engine!.submit({ slave: name, password, settings: {} }, key)
      return { [Symbol.asyncDispose]: () => engine!.cancel(key) }
    },
    async [Symbol.asyncDispose]() {},
  }),
})
transportSuite(test, {
  name: 'slaves/local',
  make: async () => ({ plugin: () => local({ slaves: ['bot'], keepAlive: false }), async [Symbol.asyncDispose]() {} }),
})
transportSuite(test, {
  name: 'of the template',
  make: async () => ({ plugin: () => myPlugin({ slave: 'bot' }), async [Symbol.asyncDispose]() {} }),
})
