import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { ROOT } from '../rig/sources.ts'
import { type Installed, installTarball, runIn } from './install.ts'

let installed: Installed
let folder = ''
/** Runs a program in the folder the tarball was installed in. */
const run = (program: string, ...args: readonly string[]) => runIn(folder, program, ...args)

before(async () => {
  installed = await installTarball()
  folder = installed.path
})

after(() => installed[Symbol.asyncDispose]())

test('the package has no sources, no tests and nothing only developers need', async () => {
  const home = join(folder, 'node_modules', 'boltbot')
  const files = await readdir(home, { recursive: true })
  assert.deepEqual(
    files.filter(
      (file) => /(?<!\.d)\.ts$/.test(file) && !/^master\.cfg\.example\.ts$|^plugin-sdk\/templates\//.test(file),
    ),
    [],
  )
  assert.deepEqual(
    files.filter((file) => /^(test|bench|node_modules)\b/.test(file)),
    [],
  )
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'))
  assert.deepEqual(
    ['scripts', 'devDependencies', 'allowScripts', 'overrides'].filter((key) => key in manifest),
    [],
  )
})

test('publint finds nothing in it', async () => {
  const { messages, pkg } = await publint({ pkgDir: installed.staged, level: 'suggestion', strict: true, pack: false })
  // Tests of templates are there on purpose: `boltbot new-plugin` copies them.
  const isTemplate = (path: string) => path.startsWith('/plugin-sdk/templates/')
  const found = messages.filter((one) => one.code !== 'USE_FILES' || !one.args.internalFilePaths.every(isTemplate))
  assert.deepEqual(
    found.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  )
})

test('its types are right wherever modules are', async () => {
  const checked = await checkPackage(createPackageFromTarballData(await readFile(installed.tarball)))
  assert.ok(checked.types)
  // It is of modules alone: `require` and the resolution of Node.js 10 are not for it.
  const problems = checked.problems.filter(
    (problem) => !('resolutionKind' in problem) || /^(node16-esm|bundler)$/.test(problem.resolutionKind),
  )
  assert.deepEqual(problems, [])
})

test('installing it runs nothing of its own', async () => {
  const home = join(folder, 'node_modules', 'boltbot')
  const { scripts, bin } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'))
  assert.equal(scripts, undefined)
  assert.ok(!(await readdir(home)).includes('binding.gyp')) // npm would build it
  assert.deepEqual(Object.keys(bin), ['boltbot'])
})

test('everything it exports can be imported', async () => {
  await writeFile(
    join(folder, 'all.mjs'),
    `import { defineMaster, createMaster } from 'boltbot'
import { definePlugin, CiError } from 'boltbot/plugin-sdk'
import { createFakeClock } from 'boltbot/plugin-sdk/testing'
import { shellCommand } from 'boltbot/plugins/steps'
import { local } from 'boltbot/plugins/slaves/local'
console.log([defineMaster, createMaster, definePlugin, CiError, createFakeClock, shellCommand, local].map((one) => typeof one).join())`,
  )
  assert.equal(await run('node', 'all.mjs'), `${Array(7).fill('function').join()}\n`)
})

test('a base directory made by it is checked, type-checked and builds', async () => {
  await run('npx', '--no-install', 'boltbot', 'master', 'ci')
  assert.match(
    await run('npx', '--no-install', 'boltbot', 'checkconfig', 'ci'),
    /is good\.\nHello: 1 builder on 1 slave\./,
  )
  await run('node', join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'ci')
  await run('npx', '--no-install', 'boltbot', 'start', 'ci')
  try {
    await run('npx', '--no-install', 'boltbot', 'force', 'hello', '--basedir', 'ci')
    let builds = ''
    for (let tries = 0; tries < 60 && !/success/.test(builds); tries++)
      builds = await run('npx', '--no-install', 'boltbot', 'builds', '--basedir', 'ci')
    assert.match(builds, /^hello\/0 +success /)
    assert.match(await run('npx', '--no-install', 'boltbot', 'log', 'hello/0', '0', '--basedir', 'ci'), /It works\./)
  } finally {
    await run('npx', '--no-install', 'boltbot', 'stop', 'ci')
  }
})

test('a new plugin of each kind compiles, passes its test, and is good in the config as printed', async () => {
  const ci = join(folder, 'plugged')
  await run('npx', '--no-install', 'boltbot', 'master', 'plugged')
  const bin = join(folder, 'node_modules', '.bin', 'boltbot')
  const kinds = ['change-source', 'scheduler', 'step', 'status', 'slave', 'service']
  for (const kind of kinds) await runIn(ci, bin, 'new-plugin', `a-${kind}`, '--kind', kind)
  await runIn(ci, 'node', join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'))
  await runIn(ci, 'node', '--test', ...kinds.map((kind) => `plugins/a-${kind}/index.test.ts`))
  const config = await readFile(join(ci, 'master.cfg.ts'), 'utf8')
  const used = config.replace('export default', `import { aStatus } from './plugins/a-status/index.ts'\nexport default`)
  await writeFile(
    join(ci, 'master.cfg.ts'),
    used.replace(/ {2}projectName:/, `  status: [aStatus({ url: 'http://localhost:8000/' })],\n$&`),
  )
  assert.match(await run('npx', '--no-install', 'boltbot', 'checkconfig', 'plugged'), /Results are told by "a-status"/)
})

test('vitest runs the rig and the suites', async () => {
  const home = join(folder, 'with-vitest')
  await mkdir(home)
  await writeFile(join(home, 'package.json'), '{"private":true,"type":"module"}')
  await runIn(home, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', 'vitest@5.1.1')
  await writeFile(
    join(home, 'thirds.test.ts'),
    `import { builder, buildFactory, defineMaster, slave } from 'boltbot/plugin-sdk'
import { schedulerSuite, withRig } from 'boltbot/plugin-sdk/testing'
import { scheduler } from 'boltbot/plugins/schedulers'
import { shellCommand } from 'boltbot/plugins/steps'
import { expect, test } from 'vitest'

const tests = () => scheduler({ name: 'tests', builders: ['full'], branch: 'main', treeStableTimer: '5m' })
schedulerSuite(test, { name: 'tests', plugin: tests })

test('a commit is built', async () => {
  const bot = slave({ name: 'bot' })
  const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ command: ['make'] })]) })
  const config = defineMaster({ projectName: 'Hello', transports: [], slaves: [bot], builders: [full], schedulers: [tests()] })
  await withRig({ config }, async (rig) => {
    await rig.commit({ branch: 'main' })
    await rig.advance('5m')
    expect((await rig.until.build('full', 'success')).sourceStamp.branch).toBe('main')
    if (process.env.BREAK) expect(rig.mails).toHaveLength(1)
  })
})
`,
  )
  const vitest = join(home, 'node_modules', '.bin', 'vitest')
  assert.match(await runIn(home, vitest, 'run'), /Tests +6 passed/)
  await assert.rejects(runIn(home, 'env', 'BREAK=1', vitest, 'run'), /the story so far:[\s\S]*buildFinished full #0/)
})

test('a plugin that is a package of its own is installed, tested and built', async () => {
  const bin = join(folder, 'node_modules', '.bin', 'boltbot')
  await run(bin, 'new-plugin', 'lamp', '--kind', 'slave', '--package')
  const lamp = join(folder, 'lamp')
  await runIn(lamp, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline')
  await runIn(lamp, 'npm', 'test')
  await runIn(lamp, 'npm', 'run', 'build')
  assert.deepEqual((await readdir(join(lamp, 'dist'))).filter((file) => file.endsWith('.js')).sort(), [
    'connection.js',
    'index.js',
  ])
})
