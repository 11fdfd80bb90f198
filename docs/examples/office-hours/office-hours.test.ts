import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, defineStep, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { officeHours } from './office-hours.ts'

const nothing = defineStep({ name: 'nothing', run: async () => ({ result: 'success' }) })
const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([nothing()]) })
const config = defineMaster({
  projectName: 'Office',
  transports: [],
  slaves: [bot],
  builders: [full],
  plugins: [officeHours({ timeZone: 'UTC', except: ['boss'] })],
})

const at = (time: string) => createRig({ config, now: Date.parse(time) })

test('in office hours a build is forced by anybody', async () => {
  await using rig = await at('2001-09-12T09:00Z') // a Wednesday
  await rig.force('full')
  await rig.until.build('full', 'success')
})

test('after hours, and at weekends, only by the boss', async () => {
  for (const time of ['2001-09-12T17:00Z', '2001-09-15T12:00Z']) {
    await using rig = await at(time)
    await assert.rejects(rig.force('full'), { code: 'OFFICE_CLOSED', message: /from 9 to 17 on work days/ })
    await rig.force('full', { who: 'boss' })
    await rig.until.build('full', 'success')
  }
})
