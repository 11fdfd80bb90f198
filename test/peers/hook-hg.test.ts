import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missing } from '../plugins/vc/real-repositories.ts'
import { createChangeListener, PASSWORD } from './rig/change-listener.ts'
import { hookStories } from './rig/hook-stories.ts'
import { createHookedRepository } from './rig/hooked-repository.ts'

await hookStories('hg', 'hg')

test('boltbot hook hg tells of commits in the repository itself, of several heads at once, and of wanted branches only', {
  skip: await missing('hg'),
  timeout: 120_000,
}, async () => {
  await using master = await createChangeListener()
  const options = ['--pb', master.address, '--passwd', PASSWORD, '--branches', 'default', '--branches', 'rel/*']
  await using repository = await createHookedRepository('hg', options)
  const hg = (...words: readonly string[]) => repository.run('hg', '-q', ...words)
  await repository.run(
    'sh',
    '-c',
    `cd '${repository.path}' && hg -q update && echo x > here.c && hg -q add here.c && hg -q commit -m here`,
  )
  await hg('pull', '--update')
  await hg('branch', 'rel/1')
  await hg('commit', '-m', 'release')
  await hg('branch', 'other')
  await hg('commit', '-m', 'other')
  await hg('update', 'default')
  await repository.commit('main')
  await master.wait(3)
  assert.deepEqual(
    master.changes.map(({ branch, comments }) => `${branch}: ${comments}`),
    ['default: here', 'rel/1: release', 'default: main'],
  )
})
