import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { makeBasedir, startAgent } from '../slave/rig.ts'
import { startBuildbotMaster } from './rig/buildbot-master.ts'
import { boltbot, type Ran } from './rig/run-program.ts'
import { absent } from './rig/worker.ts'

test('our agent builds for a real Buildbot master', { skip: absent('buildbot'), timeout: 150_000 }, async (context) => {
  const master = await startBuildbotMaster()
  context.after(() => master[Symbol.asyncDispose]())
  const basedir = makeBasedir(`ws://127.0.0.1:${master.msgpackPort}`, { protocol: 'buildbot' })
  context.after(() => basedir[Symbol.dispose]())
  writeFileSync(join(basedir.path, 'password'), 'pass1\n', { mode: 0o600 })
  await using agent = startAgent(basedir.path)
  await until(() => agent.log.find('info', 'linked to the master').length > 0, {
    what: 'the link',
    deadline: 30_000,
    seen: () => agent.log.text(),
  })

  const login = ['try', '--connect=pb', '-m', `127.0.0.1:${master.port}`, '-u', 'alice', '--passwd=wonder']
  const build = (builder: string): Promise<Ran> =>
    boltbot([...login, '--diff=-', '-p', '1', '--wait', '-b', builder], {
      input: '--- a/patched\n+++ b/patched\n@@ -0,0 +1 @@\n+yes\n',
      deadline: 60_000,
    })
  const good = await build('good')
  assert.match(good.stdout, /^good: success \(build successful\)$/m, good.stderr + agent.log.text())
  assert.match((await build('bad')).stdout, /^bad: failure /m)
  assert.match((await build('slow')).stdout, /^slow: failure /m)
  const files = await build('files')
  assert.match(files.stdout, /^files: success /m, master.log())
  assert.equal(readFileSync(join(master.basedir, 'uploaded.txt'), 'utf8'), 'up')
})
