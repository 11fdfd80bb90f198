import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, defineStep, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
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
  const { address } = rig.log.lines.find((line) => line.message === 'listening')!.fields as { address: AddressInfo }
  const socket = connect(address.port, address.address)

  socket.write('full\n')

  assert.equal(String((await once(socket, 'data'))[0]), 'failure\n')
  socket.destroy()
})
