import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../rig/sources.ts'
import { runIn } from './install.ts'

test('the reference is built without a warning, with every export and guide, for reading without a server', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'boltbot-site-'))
  t.after(() => rm(folder, { recursive: true }))
  await runIn(ROOT, process.execPath, 'docs/reference/build.ts', folder)
  const guides = globSync('docs/guides/*.md', { cwd: ROOT })
  const pages = await readdir(join(folder, 'documents'))
  assert.ok(pages.length >= guides.length, pages.join())
  assert.ok((await readdir(join(folder, 'interfaces'))).includes('boltbot_plugin-sdk.Host.html'))
  for (const page of globSync('**/*.html', { cwd: folder })) {
    const text = await readFile(join(folder, page), 'utf8')
    const loaded = [...text.matchAll(/<(?:script|link|img)[^>]* (?:src|href)="(?:https?:)?\/\/[^"]*"/g)].map(
      ([tag]) => tag,
    )
    assert.deepEqual(loaded, [], page)
  }
})
