import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasCode, messageOf } from 'boltbot/plugin-sdk'
import { createImporter } from '../../../core/config/importer.ts'
import { createConfigCopies, NONE_KEPT } from '../../../core/config/kept.ts'
import { readConfig } from '../../../core/config/load.ts'
import { createConfigFolder, GOOD, PLUGINS } from '../../rig/config-folder.ts'

/** A good config with a name of its project, as a master reads and keeps it, again and again. */
async function createWorld() {
  const folder = await createConfigFolder({
    'plugins.ts': PLUGINS,
    'lib/name.ts': '',
    'notes.txt': 'not of the config',
  })
  const importer = createImporter()
  const file = await folder.write('master.cfg.ts', '')
  const directory = join(folder.path, '.configs')
  const copies = createConfigCopies(directory, file, importer)
  let generations = 0
  return {
    directory,
    copies,
    /** Another process of the master, over the same folder. */
    anew: () => createConfigCopies(directory, file, importer),
    /** Writes a config and reads it; the hash, and how to keep it. */
    async write(projectName: string) {
      await folder.write('lib/name.ts', `export const name = '${projectName}'`)
      await folder.write(
        'master.cfg.ts',
        `import { name } from './lib/name.ts'\n${GOOD.replace("projectName: 'Hello'", 'projectName: name')}`,
      )
      const generation = `kept-${process.pid}-${generations++}`
      const { config, problems } = await readConfig(importer, file, generation)
      assert.deepEqual(problems, [])
      return { hash: config!.hash, keep: () => copies.keep(config!.hash, generation) }
    },
    async [Symbol.asyncDispose]() {
      importer[Symbol.dispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

const notKept = (reason: RegExp) => (error: unknown) =>
  hasCode(error, 'BOLT_CONFIG_NOT_KEPT') && reason.test(messageOf(error))

test('a config that was kept is loaded as it was, with the files it imports, whatever became of these', async () => {
  await using world = await createWorld()
  const first = await world.write('First')
  await first.keep()
  const second = await world.write('Second')
  await second.keep()
  assert.notEqual(first.hash, second.hash)
  assert.equal((await world.copies.load(first.hash)).projectName, 'First')
  const { projectName, hash } = await world.anew().load(second.hash)
  assert.deepEqual([projectName, hash], ['Second', second.hash])
})

test('only what the config is made of is copied, for the eyes of its owner', async () => {
  await using world = await createWorld()
  const { hash, keep } = await world.write('Hello')
  await keep()
  const files = await readdir(join(world.directory, hash), { recursive: true })
  assert.deepEqual(files.sort(), ['lib', join('lib', 'name.ts'), 'master.cfg.ts', 'plugins.ts'])
  if (process.platform === 'win32') return
  for (const path of [world.directory, join(world.directory, hash)])
    assert.equal((await stat(path)).mode & 0o077, 0, path)
})

test('a config is kept once, and what was left of a copy that was cut off is made anew', async () => {
  await using world = await createWorld()
  const { hash, keep } = await world.write('Hello')
  await mkdir(join(world.directory, `${hash}.new`), { recursive: true })
  await writeFile(join(world.directory, `${hash}.new`, 'master.cfg.ts'), 'half a')
  await assert.rejects(world.copies.load(hash), notKept(/no copy/))
  await keep()
  assert.deepEqual(await readdir(world.directory), [hash])
  const copy = join(world.directory, hash, 'master.cfg.ts')
  const before = (await stat(copy)).ino
  await keep()
  assert.equal((await stat(copy)).ino, before)
  assert.equal((await world.copies.load(hash)).projectName, 'Hello', 'also when it was asked for too early')
})

test('a copy that was changed or spoilt is refused, with the reason', async () => {
  await using world = await createWorld()
  const { hash, keep } = await world.write('Hello')
  await keep()
  const copy = join(world.directory, hash, 'lib', 'name.ts')
  const text = await readFile(copy, 'utf8')
  await writeFile(copy, text.replace('Hello', 'Other'))
  await assert.rejects(world.copies.load(hash), notKept(/its copy was changed/))
  await writeFile(copy, 'export const other = 1')
  await assert.rejects(world.anew().load(hash), notKept(/name/))
})

test('copies that no build needs are removed, also those of a copy that was cut off', async () => {
  await using world = await createWorld()
  await world.copies.retain(new Set()) // there is no folder yet
  const first = await world.write('First')
  await first.keep()
  const second = await world.write('Second')
  await second.keep()
  await mkdir(join(world.directory, 'cut-off.new'))
  await world.copies.load(first.hash)
  await world.copies.retain(new Set([second.hash]))
  assert.deepEqual(await readdir(world.directory), [second.hash])
  await assert.rejects(world.copies.load(first.hash), notKept(/no copy/))
  await rm(world.directory, { recursive: true })
})

test('where no copies are kept, none is found', async () => {
  await assert.rejects(NONE_KEPT.load('any'), notKept(/no copies are kept/))
  await NONE_KEPT.retain(new Set())
})
