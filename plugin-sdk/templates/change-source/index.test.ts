import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { myPlugin } from './index.ts'

test('a version is handed in once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'my-plugin-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'VERSION')
  await using host = createTestHost()
  await host.run(myPlugin({ file }))

  await writeFile(file, '1.0\n')
  await host.poll()
  await host.poll()
  await writeFile(file, '1.1\n')
  await host.poll()

  assert.deepEqual(
    host.records.changes.map((change) => change.revision),
    ['1.0', '1.1'],
  )
})

test('a file that cannot be read is an error: the master tells it, and polls again later', async () => {
  await using host = createTestHost()
  await host.run(myPlugin({ file: '/nowhere/VERSION' }))

  await assert.rejects(host.poll(), /ENOENT/)
})
