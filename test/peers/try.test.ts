import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { startBuildbotMaster } from './rig/buildbot-master.ts'
import { boltbot, type Ran, type RunOptions, run } from './rig/run-program.ts'
import { edit, type TryWorld, tryWorld } from './rig/try-world.ts'
import { absent, startWorker } from './rig/worker.ts'

type Client = (world: TryWorld, args: readonly string[], more?: Pick<RunOptions, 'input' | 'deadline'>) => Promise<Ran>

const LOGIN = ['--connect=pb', '--username=alice', '--passwd=wonder']

const clients: readonly (readonly [name: string, Client, string | false])[] = [
  [
    'buildbot',
    ({ port, clone }, args, more = {}) =>
      run('buildbot', ['try', ...LOGIN, `--master=127.0.0.1:${port}`, ...args], {
        cwd: clone,
        ...more,
        env: { HOME: clone },
      }),
    absent('buildbot'),
  ],
  [
    'boltbot',
    ({ port, clone }, args, more = {}) =>
      boltbot(['try', ...LOGIN, `--master=127.0.0.1:${port}`, ...args], { cwd: clone, ...more, env: { HOME: clone } }),
    false,
  ],
]

for (const [name, client, skip] of clients) {
  const story = (what: string, body: (context: TestContext) => Promise<void>) =>
    test(`${name} try: ${what}`, { skip: skip || absent('buildbot-worker'), timeout: 120_000 }, body)

  story('a good patch is built, and the client waits for it', async (context) => {
    const world = await tryWorld(context)
    edit(world, 'hello\nbrave\nworld\n')
    const args = ['--vc=git', '-b', 'good', '--wait', '--who=alice', '--comment=just a try', '--properties=colour=red']
    const tried = await client(world, args)
    assert.equal(tried.code, 0, tried.stdout + tried.stderr)
    assert.match(tried.stdout, /good: success/)
    const build = (await world.live.master.query.buildByNumber('good', 0))!
    assert.equal(await world.live.text(build.id, 1), 'hello\nbrave\nworld\n')
    assert.equal(build.properties.colour?.value, 'red')
    assert.equal(build.properties.owner?.value, 'alice')
    assert.match(build.reason, /alice.*just a try/)
  })

  story('a failing build makes the exit code 1; each builder is told', async (context) => {
    const world = await tryWorld(context)
    edit(world, 'hello\n')
    const tried = await client(world, ['--vc=git', '-b', 'good', '-b', 'bad', '--wait'])
    assert.equal(tried.code, 1, tried.stdout + tried.stderr)
    assert.match(tried.stdout, /good: success/)
    assert.match(tried.stdout, /bad: failure/)
  })

  story('without builders all that are offered build it', async (context) => {
    const world = await tryWorld(context)
    edit(world, 'hello\n')
    const tried = await client(world, ['--vc=git'])
    assert.equal(tried.code, 0, tried.stdout + tried.stderr)
    await world.live.event('buildsetFinished', undefined, 30_000)
    assert.equal((await world.live.master.query.builds({})).length, 2)
  })

  story('a builder that is not offered is not built', async (context) => {
    const world = await tryWorld(context)
    edit(world, 'hello\n')
    await client(world, ['--vc=git', '-b', 'private'])
    assert.deepEqual(await world.live.master.query.builds({}), [])
  })

  story('a patch that does not apply fails the build with the place', async (context) => {
    const world = await tryWorld(context)
    const diff = '--- a/README.md\n+++ b/README.md\n@@ -1,2 +1,2 @@\n-good bye\n+hello\n world\n'
    writeFileSync(join(world.clone, 'my.diff'), diff)
    const tried = await client(world, ['--diff=my.diff', '-p', '1', '--branch=main', '-b', 'good', '--wait'])
    assert.equal(tried.code, 1, tried.stdout + tried.stderr)
    const build = (await world.live.master.query.buildByNumber('good', 0))!
    assert.match(await world.live.text(build.id, 0, 'all'), /README\.md:1/)
  })

  story('a patch from standard input, and the names of builders', async (context) => {
    const world = await tryWorld(context)
    const diff = '--- README.md\n+++ README.md\n@@ -1,2 +1,2 @@\n-hello\n+hallo\n world\n'
    const tried = await client(world, ['--diff=-', '-p', '0', '--branch=main', '-b', 'good', '--wait'], { input: diff })
    assert.equal(tried.code, 0, tried.stdout + tried.stderr)
    const build = (await world.live.master.query.buildByNumber('good', 0))!
    assert.equal(await world.live.text(build.id, 1), 'hallo\nworld\n')
    const names = await client(world, ['--get-builder-names'])
    assert.match(names.stdout, /good\s+bad/)
    assert.doesNotMatch(names.stdout, /private/)
  })

  story('a wrong password is told', async (context) => {
    const world = await tryWorld(context)
    edit(world, 'hello\n')
    const tried = await client(world, ['--passwd=wrong', '--vc=git', '-b', 'good'], { deadline: 8000 })
    // The real one says so and does not end.
    assert.equal(tried.code, name === 'buildbot' ? null : 1, tried.stdout + tried.stderr)
    assert.match(tried.stderr, /Unauthorized login|does not let "alice" in/)
    assert.deepEqual(await world.live.master.query.builds({}), [])
  })

  story('a job that is dropped into a directory by ssh is built', async (context) => {
    const world = await tryWorld(context)
    edit(world, 'hello\nbräve\n')
    const ssh = join(world.clone, 'ssh')
    // Words of ssh's own, the host, and then a command for the shell over there.
    writeFileSync(ssh, '#!/bin/sh\nwhile [ "$1" != ci.example.org ]; do shift; done\nshift\nexec sh -c "$*"\n', {
      mode: 0o755,
    })
    const program = join(world.clone, 'program')
    writeFileSync(
      program,
      `#!/bin/sh\nexec '${process.execPath}' '${join(process.cwd(), 'core/cli/boltbot.js')}' "$@"\n`,
      { mode: 0o755 },
    )
    const place = ['--connect=ssh', `--ssh=${ssh}`, '--host=ci.example.org', `--jobdir=${world.jobdir}`]
    const args = [...place, `--buildbotbin=${name === 'buildbot' ? 'buildbot' : program}`, '--vc=git', '-b', 'good']
    const tried = await client(world, args)
    assert.equal(tried.code, 0, tried.stdout + tried.stderr)
    const finished = await world.live.event('buildFinished', undefined, 30_000)
    assert.deepEqual([finished.builder, finished.result], ['good', 'success'])
    assert.equal(await world.live.text(finished.build, 1), 'hello\nbräve\n')
  })
}

test('patches that Buildbot cannot send are no trouble for ours', async (context) => {
  const world = await tryWorld(context)
  const text = `${'many bytes of a line\n'.repeat(100_000)}`
  edit(world, text, 'README.md')
  const args = ['try', ...LOGIN, `--master=127.0.0.1:${world.port}`, '-b', 'good', '--wait']
  const tried = await boltbot(args, { cwd: world.clone, env: { HOME: world.clone }, deadline: 60_000 })
  assert.equal(tried.code, 0, tried.stdout + tried.stderr)
  const build = (await world.live.master.query.buildByNumber('good', 0))!
  assert.equal(await world.live.text(build.id, 1), text)
})

test('ours shows what it would send, and says what is missing', async (context) => {
  const world = await tryWorld(context)
  edit(world, 'hello\n')
  const dry = await boltbot(['try', '--dryrun', '-b', 'good', '--who', 'jane'], {
    cwd: world.clone,
    env: { HOME: world.clone },
  })
  assert.equal(dry.code, 0, dry.stderr)
  assert.match(dry.stdout, /"branch": "main"/)
  assert.match(dry.stdout, /^-world$/m)
  const outside = await boltbot(['try', '--dryrun'], { cwd: '/', env: { HOME: '/' } })
  assert.match(outside.stderr, /^boltbot: "\/" is in no working tree/)
  const nobody = await boltbot(['try', '-b', 'good'], { cwd: world.clone, env: { HOME: world.clone } })
  assert.match(nobody.stderr, /^boltbot: The option --master is needed/)
  assert.equal(nobody.code, 1)
})

test('a real Buildbot builds what ours sends', {
  skip: absent('buildbot') || absent('buildbot-worker'),
  timeout: 120_000,
}, async (context) => {
  const master = await startBuildbotMaster()
  context.after(() => master[Symbol.asyncDispose]())
  await using _worker = startWorker(master.port)
  await until(
    () =>
      master.log().includes('Got workerinfo') ||
      master.log().includes('worker connected') ||
      master.log().includes("worker 'bot' attaching"),
    { what: 'the worker', deadline: 30_000, seen: () => master.log() },
  )
  const args = ['try', ...LOGIN, `--master=127.0.0.1:${master.port}`, '--diff=-', '-p', '1', '--branch=main', '--wait']
  const input = '--- a/patched\n+++ b/patched\n@@ -0,0 +1 @@\n+yes\n'
  const large = await boltbot([...args, '-b', 'good'], { input: input.padEnd(700_000), deadline: 60_000 })
  assert.match(large.stderr, /^boltbot: The patch has 700000 bytes; .* takes 655360 at most/)
  const good = await boltbot([...args, '-b', 'good'], { input, deadline: 60_000 })
  assert.deepEqual([good.code, good.stderr], [0, ''], good.stdout)
  assert.match(good.stdout, /^good: success \(build successful\)$/m)
  const bad = await boltbot([...args, '-b', 'bad'], { input, deadline: 60_000 })
  assert.equal(bad.code, 1)
  assert.match(bad.stdout, /^bad: failure /m)
})
