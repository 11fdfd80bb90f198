import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { checkInFreshProcess } from '../../../core/config/evaluate.ts'
import { createConfigFolder, GOOD, PLUGINS } from '../../rig/config-folder.ts'

test('a good config ends with the walk in words', async () => {
  await using folder = await createConfigFolder({ 'plugins.ts': PLUGINS, 'master.cfg.ts': GOOD })
  const { problems, walk, hash } = await checkInFreshProcess(`${folder.path}/master.cfg.ts`)
  assert.deepEqual(problems, [])
  assert.match(hash, /^[0-9a-f]{64}$/)
  assert.deepEqual(walk, [
    'Hello: 1 builder on 1 slave.',
    'Changes come from "poller".',
    'Scheduler "tests" starts "full".',
    'Builder "full" (1 step: step) runs on "bot".',
    'Slaves are reached over "local".',
    'Slave "bot" builds "full".',
    'Results are told by "mail".',
    'A build waits 1m for a lost slave and is tried 3 times.',
  ])
})

test('what a config prints is kept apart from the answer', async () => {
  await using folder = await createConfigFolder({
    'plugins.ts': PLUGINS,
    'master.cfg.ts': `${GOOD}\nconsole.log('to out')\nconsole.error('to err')\nsetInterval(() => {}, 1000)`,
  })
  const { problems, output } = await checkInFreshProcess(`${folder.path}/master.cfg.ts`)
  assert.deepEqual(problems, [])
  assert.equal(output, 'to out\n\nto err\n')
})

test('a secret that is not there is a problem in a base directory, at the place that names it', async () => {
  const config = GOOD.replace(', slave }', ', secret, slave }').replace(
    "name: 'bot'",
    "name: 'bot', password: secret('bot')",
  )
  assert.match(config, /secret\('bot'\)/)
  await using folder = await createConfigFolder({ 'plugins.ts': PLUGINS, 'master.cfg.ts': config })
  const file = `${folder.path}/master.cfg.ts`
  assert.deepEqual((await checkInFreshProcess(file)).problems, [])
  await mkdir(`${folder.path}/secrets`)
  const { problems } = await checkInFreshProcess(file)
  const line = config.split('\n').findIndex((text) => text.includes("secret('bot')")) + 1
  assert.deepEqual(
    problems.map((problem) => [problem.line, problem.path]),
    [[line, 'secret "bot"']],
  )
  assert.match(problems[0]!.message, /secrets\/bot/)
  await writeFile(`${folder.path}/secrets/bot`, 'x', { mode: 0o600 })
  assert.deepEqual((await checkInFreshProcess(file)).problems, [])
  await rm(`${folder.path}/secrets/bot`)
  assert.deepEqual((await checkInFreshProcess(file, { environment: { BOLTBOT_SECRET_BOT: 'x' } })).problems, [])
})

test('a config that exits or never ends is a problem, and ends nothing here', async () => {
  await using folder = await createConfigFolder({
    'exit.ts': `console.log('bye')\nprocess.exit(3)`,
    'loop.ts': 'for (;;) {}',
    'wait.ts': 'await new Promise((resolve) => setInterval(resolve, 1e9))',
  })
  const messageOf = async (name: string, options: { readonly deadlineMs?: number } = {}) => {
    const { problems } = await checkInFreshProcess(`${folder.path}/${name}`, options)
    return problems.map(({ message }) => message).join()
  }
  const [exit, loop, wait] = await Promise.all([
    messageOf('exit.ts'),
    messageOf('loop.ts', { deadlineMs: 1000 }),
    messageOf('wait.ts', { deadlineMs: 1000 }),
  ])
  assert.equal(
    exit,
    'The process that read it ended (code 3) before it was done: something in it exits. It printed: bye',
  )
  assert.match(loop, /^It was not read within 1s: something in it waits or loops\.$/)
  assert.match(wait, /^It was not read within 1s/)
})
