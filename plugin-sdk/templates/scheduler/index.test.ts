import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, defineStep, slave } from 'boltbot/plugin-sdk'
import { createRig, schedulerSuite } from 'boltbot/plugin-sdk/testing'
import { myPlugin } from './index.ts'

const nothing = defineStep({ name: 'nothing', run: async () => ({ result: 'success' }) })
const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([nothing()]) })
const config = defineMaster({
  projectName: 'Test',
  transports: [],
  slaves: [bot],
  builders: [full],
  schedulers: [myPlugin({ name: 'thirds', builders: [full], count: 3 })],
})

test('every third change starts a build of all three, also over a kill of the master', async () => {
  await using rig = await createRig({ config })
  await rig.commit()
  await rig.commit()
  await rig.restart()
  assert.deepEqual(
    rig.story().filter((line) => line.startsWith('buildStarted')),
    [],
  )
  await rig.commit()

  const build = await rig.until.build('full', 'success')

  assert.deepEqual(build.sourceStamp.changes, [1, 2, 3])
  assert.equal(build.reason, '3 changes')
})

// Kills at any time, decisions that depend on more than the stored state, and the like.
schedulerSuite(test, { name: 'my-plugin', plugin: () => myPlugin({ name: 'thirds', builders: ['full'], count: 3 }) })
