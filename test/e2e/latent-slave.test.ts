import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SlaveView } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { type MasterProcess, story } from './rig.ts'

const CONFIG = `
import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { processes } from 'boltbot/plugins/slaves/process'
import { shellCommand } from 'boltbot/plugins/steps'
import { recorder } from './recorder.ts'

const fresh = slave({ name: 'fresh', latent: { engine: 'slaves/process', buildWaitTimeout: '2s' } })
const full = builder({ name: 'full', slaves: [fresh], factory: buildFactory([shellCommand({ command: 'pwd' })]) })
export default defineMaster({
  projectName: 'Hello', transports: [processes()], slaves: [fresh], builders: [full], status: [recorder()],
})
`

const force = (master: MasterProcess) => master.call('force', { builder: 'full', who: 'jane', reason: 'try it' })
const stateOf = async (master: MasterProcess) => (await master.call<readonly SlaveView[]>('slaves'))[0]?.state
const latent = (master: MasterProcess) =>
  until(async () => (await stateOf(master)) === 'latent', { what: 'the slave to be latent', deadline: 20_000 })

story('a slave is started for a build and gone after it; a killed master finds the one it ordered', async (world) => {
  const first = await world.master(CONFIG)
  assert.equal(await stateOf(first), 'latent')
  await force(first)
  assert.equal((await first.finished(0)).result, 'success')
  assert.match(`${await first.log(0, 'shell')}`, /instances\/fresh\.1\/full/)
  await latent(first)
  const instances = join(first.basedir, 'data', 'slaves_process', 'instances')
  assert.deepEqual(readdirSync(instances), [])

  await force(first)
  await first.event('requestQueued', ({ request }) => request === 2)
  await until(() => readdirSync(instances).length === 1, { what: 'an instance to be ordered' })
  await first.kill('SIGKILL')
  const second = await world.startMaster(first.basedir)
  const done = await second.event('buildFinished', ({ result }) => result === 'success', 30_000)
  assert.match(`${await second.log(done.number, 'shell')}`, /instances\/fresh\.[23]\/full/)
  await latent(second)
  assert.deepEqual(readdirSync(instances), [], 'nothing is left behind')
})
