import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, defineStep, type Result, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { prometheus } from './prometheus.ts'

const ends = defineStep({
  name: 'ends',
  run: async (context) => ({ result: (context.properties.wanted?.value ?? 'success') as Result }),
})
const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([ends()]) })
const config = defineMaster({
  projectName: 'Metrics',
  transports: [],
  http: { port: 8010 },
  slaves: [bot],
  builders: [full],
  status: [prometheus()],
})

test('builds are counted by builder and result, what waits is shown', async () => {
  await using rig = await createRig({ config })
  await rig.force('full')
  await rig.until.build('full', 'success')
  await rig.force('full', { properties: { wanted: 'failure' } })
  await rig.until.build('full', 'failure')
  rig.slave('bot').drop()
  await rig.until.event('slaveLost')
  await rig.force('full')

  const answer = await fetch(`${rig.url()}metrics`)

  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const lines = (await answer.text()).split('\n')
  for (const line of [
    '# TYPE boltbot_builds_total counter',
    'boltbot_builds_total{builder="full",result="success"} 1',
    'boltbot_builds_total{builder="full",result="failure"} 1',
    'boltbot_requests_waiting{builder="full"} 1',
    'boltbot_builds_running{builder="full"} 0',
    'boltbot_slave_connected{slave="bot"} 0',
  ])
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`)
})
