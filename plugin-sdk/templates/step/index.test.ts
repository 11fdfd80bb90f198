import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, slave } from 'boltbot/plugin-sdk'
import { createRig, stepSuite } from 'boltbot/plugin-sdk/testing'
import { myPlugin } from './index.ts'

const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([myPlugin({ atMost: 1 })]) })
const config = defineMaster({ projectName: 'Test', transports: [], slaves: [bot], builders: [full] })

test('files are counted, too many are a warning', async () => {
  const found = { match: 'glob', result: { data: ['a.ts', 'b.ts'] } }
  await using rig = await createRig({ config, slaves: { bot: [found] } })
  await rig.force('full')

  const build = await rig.until.build('full', 'warnings')

  assert.equal(build.properties.files?.value, 2)
  assert.equal(build.steps[0]?.text, '2 files')
})

// Commands that fail or hang, stops, lost slaves, kills of the master.
stepSuite(test, {
  name: 'my-plugin',
  step: () => myPlugin(),
  answers: [{ match: 'glob', result: { data: ['a.ts'] } }],
})
