import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, defineStep, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { fullMoon, nextFullMoon } from './full-moon.ts'

const howl = defineStep({ name: 'howl', run: async () => ({ result: 'success' }) })
const bot = slave({ name: 'bot' })
const werewolf = builder({ name: 'werewolf', slaves: [bot], factory: buildFactory([howl()]) })
const config = defineMaster({
  projectName: 'Moon',
  transports: [],
  slaves: [bot],
  builders: [werewolf],
  schedulers: [fullMoon({ name: 'moon', builders: [werewolf] })],
})

test('the full moon is found within a day', () => {
  const found = (day: string) => nextFullMoon(Date.parse(day))
  const DAY = 86_400_000
  assert.ok(Math.abs(found('2025-01-05') - Date.parse('2025-01-13T22:27Z')) < DAY)
  assert.ok(Math.abs(found('2026-05-20') - Date.parse('2026-05-31T08:45Z')) < DAY)
})

test('it is built once a month, also when the master was down at the moment', async () => {
  const moon = nextFullMoon(Date.parse('2026-05-20'))
  await using rig = await createRig({ config, now: moon - 30_000 })
  const builds = () => rig.story().filter((line) => line.startsWith('buildFinished')).length
  await rig.advance('20s')
  assert.equal(builds(), 0)
  await rig.advance('20s')
  assert.equal((await rig.until.build('werewolf', 'success')).reason, 'The moon is full.')
  await rig.restart({ after: '20d' })
  assert.equal(builds(), 1)
  await rig.restart({ after: '15d' })
  await rig.until.build('werewolf', 'success')
})
