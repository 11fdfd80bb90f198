import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../plugins/vc/real-repositories.ts'
import { createChangeListener, PASSWORD } from './rig/change-listener.ts'
import { hookStories } from './rig/hook-stories.ts'
import { createHookedRepository } from './rig/hooked-repository.ts'

await hookStories('svn', 'svn')

test('boltbot hook svn tells projects and branches apart by the paths, as it is told', {
  skip: await missing('svn'),
  timeout: 120_000,
}, async () => {
  await using master = await createChangeListener()
  const options = ['--pb', master.address, '--passwd', PASSWORD, '--layout', 'projects', '--revlink', 'https://svn/r%s']
  await using repository = await createHookedRepository('svn', options)
  const script = `set -e; svn -q checkout 'file://${repository.path}' ../whole; cd ../whole
    mkdir -p lamp/trunk lamp/branches/1.0 door/trunk; echo a > lamp/trunk/ä.c; echo b > lamp/branches/1.0/b.c; echo c > door/trunk/c.c
    svn -q add lamp door; svn -q commit -m all`
  await repository.run('sh', '-c', script)
  await master.wait(3)
  assert.deepEqual(
    master.changes.map(({ project, branch, files, revision, revlink }) => [project, branch, files, revision, revlink]),
    [
      ['door', null, ['c.c'], '3', 'https://svn/r3'],
      ['lamp', 'branches/1.0', ['b.c'], '3', 'https://svn/r3'],
      ['lamp', null, ['ä.c'], '3', 'https://svn/r3'],
    ],
  )
  const settings = join(repository.queue, 'settings.json')
  writeFileSync(settings, JSON.stringify({ ...JSON.parse(readFileSync(settings, 'utf8')), layout: 'plain' }))
  await repository.commit('plain', { 'new ü.c': 'x\n' })
  await master.wait(4)
  assert.deepEqual([master.changes[3]!.files, master.changes[3]!.branch], [['trunk/new ü.c'], null])
})
