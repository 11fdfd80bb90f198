import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import { callMaster } from '../../core/cli/control-client.ts'
import { configText, PASSWORD } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { createRepository } from './rig/repository.ts'
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

const open = (world: World, gate = 'talk.gate') => appendFile(world.file(gate), '')

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

story('a checkout whose whole address is a secret goes on in the next master as if nothing had been', async (world) => {
  const repository = await createRepository(world.folder, { hello: 'Hello\n' })
  const port = await reservePort()
  const steps = `git({ repourl: secret('repo') }), shellCommand({ name: 'after', command: 'cat hello' })`
  const config = configText({ slavePort: port, steps, imports: `import { secret } from 'boltbot'` })
  const master = await world.master(config, {
    prepare: (basedir) => writeFile(join(basedir, 'secrets', 'repo'), `${repository.url}\n`, { mode: 0o600 }),
  })
  // A git that fetches only when the story says so.
  await mkdir(world.file('bin'))
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim()
  const slow = `#!/bin/sh
case "$*" in fetch*) echo fetching >> '${world.file('fetches')}'; while [ ! -e '${world.file('gate')}' ]; do sleep 0.05; done;; esac
exec '${real}' "$@"
`
  await writeFile(world.file('bin/git'), slow, { mode: 0o755 })
  await appendFile(world.file('gate'), '')
  await world.slave('bot-1', port, PASSWORD, { PATH: `${world.file('bin')}:${process.env.PATH}` })
  await master.call('force', { builder: 'full', who: 'jane', reason: 'to have a tree' })
  assert.equal((await master.finished(0)).result, 'success')

  await rm(world.file('gate'))
  await master.call('force', { builder: 'full', who: 'jane', reason: 'to update it' })
  const fetches = async () => (await readFile(world.file('fetches'), 'utf8')).split('\n').length - 1
  await until(async () => (await fetches()) === 2, { what: 'the second fetch' })
  await master.kill('SIGKILL')
  const second = await world.startMaster(master.basedir)
  await until(() => second.output().includes('command of the process before taken up'), { what: 'the build to go on' })
  await open(world, 'gate')
  assert.equal((await second.finished(1)).result, 'success')
  assert.equal(await fetches(), 2)
  const parts: string[] = []
  await callMaster(master.basedir, 'log', { build: 'full/1', step: 'git' }, (item) =>
    parts.push(Buffer.from((item as { readonly data: string }).data, 'base64').toString()),
  )
  assert.match(parts.join(''), /config --get remote\.origin\.url/)
  const plain = parts.join('').replaceAll('\\', '')
  assert.ok(!plain.includes(repository.url), 'the address is hidden, also as a pattern')
})
