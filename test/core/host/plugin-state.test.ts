import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { createMemoryLog, createTestHost, type MemoryLog } from 'boltbot/plugin-sdk/testing'
import { getPluginState } from '../../../core/store/plugin-state.ts'
import { sh } from '../../rig/parts.ts'
import { createPluginHostRig, inWorker } from '../../rig/plugin-host-rig.ts'
import { createRig } from '../../rig/rig.ts'
import { careless } from '../../rig/worker-plugins.ts'

const KEYS = ['undefined', 'function', 'cycle', 'bigint', 'date', 'NaN', 'map', 'class']

/** The value itself and inside of another, each by plugin and key. */
function assertAllRefused(log: MemoryLog): void {
  const refused = log.find('info', 'refused').map(({ fields: { code, message } }) => `${code} ${message}`)
  const expected = KEYS.map((key) => `BOLT_STATE_JSON Plugin "careless" stores what is not JSON as its state "${key}".`)
  assert.deepEqual(
    refused,
    expected.flatMap((line) => [line, line]),
  )
}

test('what is not JSON is refused as state by the master, and nothing of it is stored', async () => {
  await using rig = await createRig({
    slaves: [slave({ name: 'bot', password: 'x' })],
    builders: [builder({ name: 'full', slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]) })],
    plugins: [careless()],
  })
  assertAllRefused(rig.log)
  for (const key of KEYS) assert.equal(await getPluginState(rig.store, 'careless', key), undefined)
  assert.deepEqual(await getPluginState(rig.store, 'careless', 'good'), { deep: [1, null, 'a'] })
})

test('by a worker it is refused before it is sent to the master', async () => {
  const rig = createPluginHostRig()
  await rig.host.start([inWorker('careless', careless())])
  assertAllRefused(rig.log)
  assert.deepEqual(rig.calls, ['careless sets good'])
  await rig.host.stop()
})

test('by the test host it is refused in the same words', async () => {
  const log = createMemoryLog()
  await using host = createTestHost({ log })
  await host.run(careless())
  assertAllRefused(log)
  assert.deepEqual([...host.state.keys()], ['good'])
})
