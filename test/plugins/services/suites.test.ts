import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceSuite } from 'boltbot/plugin-sdk/testing'
import { debugPort } from 'boltbot/plugins/services/debug-port'
import { reservePort } from '../../e2e/rig/ports.ts'
import { connectStatusClient } from '../status/pb-status-client.ts'

serviceSuite(test, {
  name: 'services/debug-port',
  async make() {
    const port = await reservePort()
    let uses = 0
    return {
      plugin: () => debugPort({ debugPassword: 'open sesame', port }),
      async use(rig) {
        using client = await connectStatusClient(port, 'debug', 'open sesame')
        await client.perspective.call('requestBuild', ['good', `use ${++uses}`, 'main', null])
        const { reason } = await rig.until.build('good', 'success')
        assert.match(reason, new RegExp(`use ${uses}`))
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})
