import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, defineStep, slave } from 'boltbot/plugin-sdk'
import { createRig, type Rig, serviceSuite } from 'boltbot/plugin-sdk/testing'
import { myPlugin } from './index.ts'

const fail = defineStep({ name: 'fail', run: async () => ({ result: 'failure' }) })
const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([fail()]) })
const config = defineMaster({
  projectName: 'Test',
  transports: [],
  slaves: [bot],
  builders: [full],
  plugins: [myPlugin({ port: 0 })],
})

test('a builder is asked for over TCP', async () => {
  await using rig = await createRig({ config })
  await rig.force('full')
  await rig.until.build('full', 'failure')

  assert.equal(await ask(rig, 'full'), 'failure\n')
})

// What every service has to stand: a kill of the master, a config that was read again, a stop.
serviceSuite(test, {
  name: 'my-plugin',
  make: async () => ({
    plugin: () => myPlugin({ port: 0 }),
    use: async (rig) => assert.equal(await ask(rig, 'none'), 'there is no builder "none"\n'),
    async [Symbol.asyncDispose]() {},
  }),
})

async function ask(rig: Rig, line: string): Promise<string> {
  const { address } = rig.log.find('info', 'listening').at(-1)!.fields as { address: AddressInfo }
  const socket = connect(address.port, address.address)
  socket.write(`${line}\n`)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer)
}
