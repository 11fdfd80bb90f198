import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCliRig, LONELY } from '../../rig/cli.ts'

// That what is made compiles, passes its test and is built as a package is proved from the tarball: test/package.

test('a plugin beside the config is code, test and README under its own name', async () => {
  await using rig = await createCliRig()
  await rig.write('master.cfg.ts', LONELY)
  const { code, out } = await rig.ask('new-plugin', 'release-feed', '--kind', 'change-source')
  assert.equal(code, 0)
  assert.equal(
    out,
    `The plugin is in "plugins/release-feed":
  README.md
  index.test.ts
  index.ts
Its test:
  node --test plugins/release-feed/index.test.ts
In master.cfg.ts:
  import { releaseFeed } from './plugins/release-feed/index.ts'
  sources: [releaseFeed({ file: '/srv/releases/VERSION' })],
`,
  )
  for (const file of ['README.md', 'index.ts', 'index.test.ts'])
    assert.doesNotMatch(await readFile(join(rig.path, 'plugins/release-feed', file), 'utf8'), /my-?plugin/i)
})

test('a package has what npm needs', async () => {
  await using rig = await createCliRig()
  assert.equal((await rig.ask('new-plugin', 'lamp', '--kind', 'status', '--package')).code, 0)
  assert.deepEqual((await readdir(join(rig.path, 'lamp'))).sort(), [
    '.gitignore',
    'README.md',
    'index.test.ts',
    'index.ts',
    'package.json',
    'tsconfig.json',
  ])
  const { keywords, peerDependencies } = JSON.parse(await readFile(join(rig.path, 'lamp', 'package.json'), 'utf8'))
  assert.deepEqual(keywords, ['boltbot-plugin'])
  assert.match(peerDependencies.boltbot, /^\^\d/)
})

test('what cannot be made is refused in a sentence', async () => {
  await using rig = await createCliRig()
  const refused = async (...args: readonly string[]) => {
    const { code, err } = await rig.ask('new-plugin', ...args)
    return `${code} ${err.split('\n')[0]}`
  }
  assert.match(
    await refused('Lamp', '--kind', 'status'),
    /^2 boltbot: The name "Lamp" cannot be used: it must be lower/,
  )
  assert.match(
    await refused('lamp', '--kind', 'lamp'),
    /^2 boltbot: The kind "lamp" cannot be used: it must be one of /,
  )
  assert.match(await refused('lamp'), /^2 boltbot: .*--kind/)
  await rig.ask('new-plugin', 'lamp', '--kind', 'step')
  assert.match(await refused('lamp', '--kind', 'step'), /^1 boltbot: There is a "lamp" in "\."? already/)
})
