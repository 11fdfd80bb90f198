import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../plugins/vc/real-repositories.ts'
import { createChangeListener, PASSWORD } from './rig/change-listener.ts'
import { hookStories } from './rig/hook-stories.ts'
import { createHookedRepository } from './rig/hooked-repository.ts'

await hookStories('cvs', 'cvs')

test('boltbot hook cvs reads what CVS 1.11 gives its hooks, folder by folder', {
  skip: await missing('cvs'),
  timeout: 120_000,
}, async () => {
  await using master = await createChangeListener()
  await using repository = await createHookedRepository('cvs', ['--pb', master.address, '--passwd', PASSWORD])
  await repository.run('sh', '-c', OLDER)
  assert.match(readFileSync(join(repository.path, 'CVSROOT/loginfo'), 'utf8'), /hook cvs -- %\{sVv\}$/m)
  await repository.commit('many folders', { 'a b,c d.c': '1\n', 'grün/x y/deep.c': '2\n', 'grün/ü.c': '3\n' })
  await master.wait(1)
  await new Promise((resolve) => setTimeout(resolve, 1100)) // a second of its own
  await repository.commit('removed', { 'a b,c d.c': null })
  await master.wait(2)
  assert.deepEqual(
    master.changes.map(({ comments, files }) => [comments, files]),
    [
      ['many folders', ['a b,c d.c', 'grün/x y/deep.c', 'grün/ü.c']],
      ['removed', ['a b,c d.c']],
    ],
    repository.log(),
  )
})

/** The config of an older CVS. The old line must be gone before, and the new one come after it. */
const OLDER = `set -e
cd "$HOME/admin"
sed 's/-- %I %p %{sVv}$/-- %{sVv}/; /^ALL/!d' loginfo > ../line
sed -i '/^ALL/d' loginfo
cvs -Q commit -m without
sed -i 's/^UseNewInfoFmtStrings=yes/UseNewInfoFmtStrings=no/' config
cvs -Q commit -m older
cat ../line >> loginfo
cvs -Q commit -m with`
