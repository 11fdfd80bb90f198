import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { isFree, reservePort } from '../e2e/rig/ports.ts'
import { missing } from '../plugins/vc/real-repositories.ts'
import { createChangeListener, PASSWORD } from './rig/change-listener.ts'
import { hookStories } from './rig/hook-stories.ts'
import { createHookedRepository } from './rig/hooked-repository.ts'
import { run } from './rig/run-program.ts'

await hookStories('bzr', 'brz')

test('boltbot hook bzr tells of what is pushed to a server, and the client of nothing', {
  skip: await missing('brz'),
  timeout: 120_000,
}, async () => {
  await using master = await createChangeListener()
  await using repository = await createHookedRepository('bzr', ['--pb', master.address, '--passwd', PASSWORD])
  const env = { ...process.env, HOME: repository.folder, BRZ_EMAIL: 'Jane Doe <jane@example.org>', LC_ALL: 'C.UTF-8' }
  const port = await reservePort()
  const args = ['serve', '--listen=127.0.0.1', `--port=${port}`, `--directory=${repository.folder}`, '--allow-writes']
  const server = spawn('brz', args, { env, stdio: 'ignore' })
  try {
    await until(async () => !(await isFree(port)) || undefined, { what: 'brz serve to listen' })
    const other = join(repository.folder, 'other')
    const brz = async (...words: readonly string[]) => {
      const ran = await run('brz', words, { env, deadline: 60_000 })
      assert.equal(ran.code, 0, ran.stderr)
      assert.doesNotMatch(ran.stderr, /boltbot/)
    }
    await brz('branch', '-q', repository.path, other)
    await brz('commit', '-q', '--unchanged', '-m', 'one', other)
    await brz('commit', '-q', '--unchanged', '-m', 'two', other)
    await brz('push', '-q', '-d', other, `bzr://127.0.0.1:${port}/repo`)
    await master.wait(2)
    assert.deepEqual(
      master.changes.map(({ comments }) => comments),
      ['one', 'two'],
    )
  } finally {
    server.kill()
    await once(server, 'exit')
  }
})
