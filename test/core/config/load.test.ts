import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffConfigs } from '../../../core/config/diff.ts'
import { createImporter } from '../../../core/config/importer.ts'
import { loadConfig, readConfig } from '../../../core/config/load.ts'
import { hasCode } from '../../../plugin-sdk/errors.ts'
import { createConfigFolder, GOOD, PLUGINS } from '../../rig/config-folder.ts'

const files = { 'plugins.ts': PLUGINS, 'master.cfg.ts': GOOD }

test('a good config is loaded with its defaults filled in', async () => {
  await using folder = await createConfigFolder(files)
  const config = await loadConfig(`${folder.path}/master.cfg.ts`)
  assert.equal(config.projectName, 'Hello')
  assert.equal(config.buildLeaseMs, 60_000)
  assert.equal(config.maxTries, 3)
  assert.deepEqual(config.retention, {
    builds: { ageMs: null, count: null },
    logs: { ageMs: null, count: null },
    changes: { ageMs: null, count: null },
    journal: { ageMs: null },
  })
  const full = config.builders.get('full')!
  assert.deepEqual([full.builddir, full.slaves, full.mergeRequests, full.category], ['full', ['bot'], true, null])
  assert.deepEqual(full.steps[0]!.options, { command: 'true' }, 'the options are those the schema gave')
  assert.equal(config.slaves.get('bot')!.password, null)
})

test('plugins come in start order: status, schedulers, transports, sources', async () => {
  await using folder = await createConfigFolder(files)
  const { plugins } = await loadConfig(`${folder.path}/master.cfg.ts`)
  assert.deepEqual(
    plugins.map(({ id }) => id),
    ['mail', 'tests', 'local', 'poller'],
  )
  assert.deepEqual(plugins[0]!.options, { fromaddr: 'ci@example.org', mode: 'all' })
})

test('a helper file is evaluated anew at the next load', async () => {
  await using folder = await createConfigFolder({
    'plugins.ts': PLUGINS,
    'name.ts': `export const projectName = 'One'`,
    'master.cfg.ts': GOOD.replace(`projectName: 'Hello'`, 'projectName').replace(
      'const bot',
      `import { projectName } from './name.ts'\nconst bot`,
    ),
  })
  const file = `${folder.path}/master.cfg.ts`
  const before = await loadConfig(file)
  await folder.write('name.ts', `export const projectName = 'Two'`)
  const after = await loadConfig(file)
  assert.deepEqual([before.projectName, after.projectName], ['One', 'Two'])
  assert.notEqual(before.hash, after.hash)
  assert.deepEqual(diffConfigs(before, after), ['projectName changed'])
})

test('the hash is of the contents of all files of the folder, and of nothing else', async () => {
  await using one = await createConfigFolder(files)
  await using two = await createConfigFolder(files)
  const first = await loadConfig(`${one.path}/master.cfg.ts`)
  const second = await loadConfig(`${two.path}/master.cfg.ts`)
  assert.match(first.hash, /^[0-9a-f]{64}$/)
  assert.equal(first.hash, second.hash)
  await two.write('unused.ts', 'export {}')
  assert.equal((await loadConfig(`${two.path}/master.cfg.ts`)).hash, first.hash, 'a file nobody imports does not count')
})

test("a plugin's code hash is that of the files it is made of", async () => {
  await using folder = await createConfigFolder({
    ...files,
    'words.ts': `export const word = 'on'`,
    'lamp.ts': `import { definePlugin } from 'boltbot/plugin-sdk'
import { word } from './words.ts'
export const lamp = definePlugin({ name: 'lamp', kind: 'status', apply(host) { host.log.info(word) } })`,
    'master.cfg.ts': GOOD.replace('const bot', `import { lamp } from './lamp.ts'\nconst bot`).replace(
      'status: [',
      'status: [lamp(), ',
    ),
  })
  const file = `${folder.path}/master.cfg.ts`
  const hashes = async () => new Map((await loadConfig(file)).plugins.map(({ id, codeHash }) => [id, codeHash]))
  const before = await hashes()
  await folder.write('words.ts', `export const word = 'off'`)
  const after = await hashes()
  assert.notEqual(before.get('lamp'), after.get('lamp'))
  assert.equal(before.get('mail'), after.get('mail'))
  assert.notEqual(before.get('mail'), '')
})

test('an import that a plugin makes later is of the same generation as the plugin', async () => {
  await using folder = await createConfigFolder({
    ...files,
    'later.ts': `export const marker = {}`,
    'lamp.ts': `import { definePlugin } from 'boltbot/plugin-sdk'
import { marker } from './later.ts'
export const lamp = definePlugin({ name: 'lamp', kind: 'status', apply() {}, async start() { if ((await import('./later.ts')).marker !== marker) throw new Error('another one') } })`,
    'master.cfg.ts': GOOD.replace('const bot', `import { lamp } from './lamp.ts'\nconst bot`).replace(
      'status: [',
      'status: [lamp(), ',
    ),
  })
  const { plugins } = await loadConfig(`${folder.path}/master.cfg.ts`)
  const lamp = plugins.find(({ id }) => id === 'lamp')!
  await lamp.definition.start!(undefined as never, undefined as never)
})

test('a config with problems is refused with all of them', async () => {
  await using folder = await createConfigFolder({ ...files, 'master.cfg.ts': GOOD.replaceAll("'bot'", '5 as never') })
  const error = await loadConfig(`${folder.path}/master.cfg.ts`).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(hasCode(error, 'BOLT_CONFIG_PROBLEMS'))
  assert.match(error.hint ?? '', /master\.cfg\.ts:5:21: slaves\[0\] name: "name" is 5/)
})

test('a file that is not there is told by name', async () => {
  await assert.rejects(loadConfig('/nowhere/master.cfg.ts'), { code: 'BOLT_CONFIG_MISSING' })
})

/** The one problem of a config that cannot be evaluated. */
async function problemOf(files: Readonly<Record<string, string>>): Promise<string> {
  await using folder = await createConfigFolder(files)
  using importer = createImporter()
  const { problems } = await readConfig(importer, `${folder.path}/master.cfg.ts`)
  assert.equal(problems.length, 1)
  const { file, line, column, message } = problems[0]!
  return `${file.slice(folder.path.length + 1)}:${line}:${column} ${message.replaceAll(folder.path, '')}`
}

test('what goes wrong while a config is read is a problem with its place', async () => {
  assert.match(
    await problemOf({ 'master.cfg.ts': 'const a = 1\nconst b = = 2' }),
    /^master\.cfg\.ts:2:11 It is not valid/,
  )
  assert.match(
    await problemOf({ 'master.cfg.ts': `import './lib.mjs'`, 'lib.mjs': '\nconst b = = 2' }),
    /^lib\.mjs:2:11 It is not valid/,
  )
  assert.match(await problemOf({ 'master.cfg.ts': '\nenum A { B }' }), /^master\.cfg\.ts:2:1 .*enum is not supported/)
  assert.match(
    await problemOf({
      'master.cfg.ts': `import { boom } from './lib.ts'\nboom()`,
      'lib.ts': `export function boom() {\n  throw new Error('no way')\n}`,
    }),
    /^lib\.ts:2:9 It throws while it is read: no way\.$/,
  )
  assert.match(
    await problemOf({ 'master.cfg.ts': `\nimport './nope.ts'` }),
    /^master\.cfg\.ts:2:11 Cannot find module '\/nope\.ts'/,
  )
  assert.match(
    await problemOf({ 'master.cfg.ts': `import { irc } from 'boltbot/plugins/status/irrc'` }),
    /^master\.cfg\.ts:1:45 Cannot find module 'boltbot\/plugins\/status\/irrc'/,
  )
  assert.match(
    await problemOf({ 'master.cfg.ts': `import {\n  slav,\n} from 'boltbot'\nslav()` }),
    /^master\.cfg\.ts:2:3 The requested module 'boltbot' does not provide an export named 'slav'/,
  )
})
