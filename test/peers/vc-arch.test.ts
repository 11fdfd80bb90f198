import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { SourceStamp } from 'boltbot/plugin-sdk'
import { createFakeClock } from 'boltbot/plugin-sdk/testing'
import { arch } from 'boltbot/plugins/vc/arch'
import { createLocalStep } from '../plugins/vc/command-runner.ts'
import { missing } from '../plugins/vc/real-repositories.ts'
import { createChangeListener, PASSWORD } from './rig/change-listener.ts'
import { boltbot } from './rig/run-program.ts'

const skip = await missing('tla')
const exec = promisify(execFile)
const ARCHIVE = 'jane@example.org--2026'
const VERSION = 'hello--main--1.0'

/** An archive of jane's, and a tree of hers with one revision. */
async function archive(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-arch-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const [work, url] = [join(folder, 'work'), join(folder, 'archive')]
  mkdirSync(work)
  const env = { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  const tla = async (...args: readonly string[]) => (await exec('tla', [...args], { cwd: work, env })).stdout
  await tla('my-id', 'Jane Doe <jane@example.org>')
  await tla('make-archive', ARCHIVE, url)
  await tla('archive-setup', '-A', ARCHIVE, VERSION)
  await tla('init-tree', '-A', ARCHIVE, VERSION)
  await tla('id-tagging-method', 'names')
  const write = (name: string, text: string) => writeFileSync(join(work, name), text)
  write('a.c', 'one\n')
  write('gone.c', 'x\n')
  await tla('import', '-s', 'imported')
  return { folder, work, url, env, tla, write }
}

type Archive = Awaited<ReturnType<typeof archive>>

function runnerIn({ folder, url, env }: Archive) {
  const directory = join(folder, 'slave')
  mkdirSync(directory)
  return async (how: object = {}, sourceStamp: Partial<SourceStamp> = {}) => {
    const local = createLocalStep({ directory, sourceStamp, clock: createFakeClock({ start: Date.now() }) })
    const home = { HOME: env.HOME }
    const { result } = await local.run(arch({ url, archive: ARCHIVE, version: VERSION, env: home, ...how }))
    return {
      result,
      log: local.logs.get('stdio') ?? '',
      revision: local.properties.got_revision?.value,
      has: (path: string) => existsSync(join(directory, 'build', path)),
      read: (path: string) => readFileSync(join(directory, 'build', path), 'utf8'),
    }
  }
}

test('the step gets an arch tree in each mode, updates it, and goes to a revision', { skip }, async (context) => {
  const world = await archive(context)
  const run = runnerIn(world)
  const first = await run()
  assert.equal(first.result, 'success', first.log)
  assert.equal(first.revision, 'base-0')
  world.write('a.c', 'two\n')
  rmSync(join(world.work, 'gone.c'))
  await world.tla('commit', '-s', 'two')
  const second = await run()
  assert.equal(second.result, 'success', second.log)
  assert.deepEqual([second.revision, second.read('a.c'), second.has('gone.c')], ['patch-1', 'two\n', false])
  assert.doesNotMatch(second.log, /checking out anew/)
  const back = await run({}, { branch: VERSION, revision: 'base-0' })
  assert.deepEqual([back.result, back.revision, back.read('a.c')], ['success', 'base-0', 'one\n'], back.log)
  for (const mode of ['update', 'copy', 'clobber', 'export'] as const) {
    const third = await run({ mode })
    assert.equal(third.result, 'success', `${mode}\n${third.log}`)
    assert.equal(third.read('a.c'), 'two\n', mode)
    assert.equal(third.has('{arch}'), mode !== 'export', mode)
  }
})

test('the step applies a patch to an arch tree and is rid of it in the next build', { skip }, async (context) => {
  const world = await archive(context)
  const run = runnerIn(world)
  await run()
  const body = '--- orig/a.c\n+++ mod/a.c\n@@ -1 +1 @@\n-one\n+new\n'
  const patched = await run({}, { patch: { level: 1, body, subdir: '' } })
  assert.equal(patched.result, 'success', patched.log)
  assert.equal(patched.read('a.c'), 'new\n')
  assert.equal((await run()).read('a.c'), 'one\n')
  assert.equal((await run({}, { branch: '--help' })).result, 'failure')
  assert.equal((await run({}, { revision: 'patch-1; true' })).result, 'failure')
  const away = await run({ url: `${world.url}-gone`, mode: 'clobber' })
  assert.equal(away.result, 'failure')
})

test('what is tried in an arch tree makes the same tree on a slave', { skip }, async (context) => {
  const world = await archive(context)
  mkdirSync(join(world.work, 'src'))
  world.write('a.c', 'changed ß\n')
  world.write('src/new.c', 'new\n')
  rmSync(join(world.work, 'gone.c'))
  const tried = await boltbot(['try', '--dryrun'], { cwd: join(world.work, 'src'), env: { HOME: world.folder } })
  assert.equal(tried.code, 0, tried.stderr)
  const end = tried.stdout.indexOf('\n}\n') + 3
  const { branch, revision, level } = JSON.parse(tried.stdout.slice(0, end))
  assert.deepEqual([branch, revision], [VERSION, 'base-0'])
  const patch = { level, body: tried.stdout.slice(end), subdir: '' }
  const built = await runnerIn(world)({}, { branch, revision, patch })
  assert.equal(built.result, 'success', patch.body + built.log)
  assert.deepEqual([built.read('a.c'), built.read('src/new.c'), built.has('gone.c')], ['changed ß\n', 'new\n', false])
})

test('boltbot hook arch tells of each commit, also of those while the master was away', { skip }, async (context) => {
  await using master = await createChangeListener()
  const world = await archive(context)
  const options = ['--pb', master.address, '--passwd', PASSWORD]
  const installed = await boltbot(['hook', 'arch', '--install', world.folder, ...options], {
    env: { HOME: world.folder },
  })
  assert.equal(installed.code, 0, installed.stderr)
  mkdirSync(join(world.work, 'src'))
  world.write('src/b.c', 'b\n')
  await world.tla('commit', '-s', 'first ß', '-L', 'and more')
  await master.wait(1)
  const [change] = master.changes
  assert.deepEqual(
    [change!.who, change!.files, change!.comments, change!.branch, change!.revision, change!.repository],
    ['Jane Doe <jane@example.org>', ['src/b.c'], 'first ß\n\nand more', VERSION, 'patch-1', ARCHIVE],
  )
  await master.goAway()
  rmSync(join(world.work, 'gone.c'))
  await world.tla('commit', '-s', 'second')
  await master.comeBack()
  world.write('a.c', 'two\n')
  await world.tla('commit', '-s', 'third')
  await master.wait(3)
  assert.deepEqual(
    master.changes.slice(1).map(({ comments, files }) => [comments, files]),
    [
      ['second', ['gone.c']],
      ['third', ['a.c']],
    ],
  )
})
