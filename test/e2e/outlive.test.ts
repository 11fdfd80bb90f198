import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFile, readFile } from 'node:fs/promises'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { type MasterProcess, story, type World } from './rig.ts'

/** Prints for some seconds, to both streams, and at the end the digest of what it said into a file of its own. */
const TALK = `
const { createHash } = require('node:crypto'); const { appendFileSync, existsSync } = require('node:fs')
const hash = createHash('sha256'); const [record, gate] = process.argv.slice(1); let n = 0
appendFileSync(record, 'began\\n')
const timer = setInterval(() => {
  for (let i = 0; i < 40; i++) {
    const line = 'line ' + n++ + ' ' + 'x'.repeat(n % 90) + '\\n'
    hash.update(line); process.stdout.write(line)
  }
  if (n < 2000 || !existsSync(gate)) return
  clearInterval(timer)
  process.stdout.write('', () => appendFileSync(record, 'digest ' + hash.digest('hex') + '\\n'))
}, 20)`

const talk = (world: World, name = 'talk') =>
  `shellCommand({ name: '${name}', command: ['node', '-e', ${JSON.stringify(TALK)}, ${JSON.stringify(world.file(`${name}.record`))}, ${JSON.stringify(world.file(`${name}.gate`))}] })`

async function startTalking(world: World, over: Partial<Parameters<typeof configText>[0]> = {}) {
  const port = await reservePort()
  const after = `shellCommand({ name: 'after', command: 'echo after' })`
  const config = configText({ slavePort: port, steps: `${talk(world)}, ${after}`, ...over })
  const master = await world.master(config)
  const agent = await world.slave('bot-1', port)
  await master.call('force', { builder: 'full', who: 'jane', reason: 'try it' })
  await until(async () => (await master.log(0, 'talk')).length > 5000, { what: 'some output', deadline: 30_000 })
  return { port, config, master, agent }
}

/** The digest that the command made of its output is that of the stored log, and it ran so often. */
async function assertWhole(world: World, master: MasterProcess, number = 0, times = 1): Promise<void> {
  const record = await readFile(world.file('talk.record'), 'utf8')
  const digest = createHash('sha256')
    .update(await master.log(number, 'talk'))
    .digest('hex')
  assert.ok(record.includes(`digest ${digest}\n`), `the log is what the command said:\n${record}`)
  assert.equal(record.split('began\n').length - 1, times, 'how often the command ran')
}

const open = (world: World) => appendFile(world.file('talk.gate'), '')

story('a build outlives masters that are killed with -9: not a byte of its log is lost or doubled', async (world) => {
  const { master, config } = await startTalking(world)
  await master.kill('SIGKILL')
  // A new config meanwhile: the build finishes under the one that it began with.
  await master.writeConfig(config.replace("command: 'echo after'", "command: 'echo other'"))
  const second = await world.startMaster(master.basedir)
  await until(() => second.output().includes('command of the process before taken up'), { what: 'the build to go on' })
  await second.kill('SIGKILL')
  await open(world)
  const third = await world.startMaster(master.basedir)
  const finished = await third.finished(0)
  assert.equal(finished.result, 'success')
  await assertWhole(world, third)
  assert.equal((await third.log(0, 'after')).toString(), 'after\n')
  assert.deepEqual(await third.call('why'), [])
})

story('a master that is stopped and started again leaves its build running', async (world) => {
  const { master } = await startTalking(world)
  await master.kill('SIGTERM')
  assert.equal((await master.exited).code, 0)
  const second = await world.startMaster(master.basedir)
  await open(world)
  assert.equal((await second.finished(0)).result, 'success')
  await assertWhole(world, second)
})

story('an agent that stays away for longer than the lease is told to discard when it comes back', async (world) => {
  const port = await reservePort()
  const steps = talk(world)
  const config = configText({ slavePort: port, steps, masterOptions: `buildLease: '2s',` })
  const master = await world.master(config)
  const first = await world.slave('bot-1', port)
  await master.call('force', { builder: 'full', who: 'jane', reason: 'try it' })
  await until(async () => (await master.log(0, 'talk')).length > 5000, { what: 'some output', deadline: 30_000 })
  process.kill(first.pid, 'SIGSTOP')
  await master.kill('SIGKILL')
  const second = await world.startMaster(master.basedir)
  assert.equal((await second.finished(0)).result, 'retry')
  process.kill(first.pid, 'SIGCONT')
  await until(() => first.output().includes('"cause":"interrupted"'), { what: 'the old command to be ended' })
  await open(world)
  assert.equal((await second.finished(1)).result, 'success')
  await assertWhole(world, second, 1, 2)
  assert.equal((await second.build(1)).epoch, 2)
})
