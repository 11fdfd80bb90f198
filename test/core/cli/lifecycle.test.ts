import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { isAlive, readPidFile } from '../../../core/cli/pid-file.ts'
import { type CliRig, createCliRig, LONELY } from '../../rig/cli.ts'

async function createBasedir(text = LONELY): Promise<CliRig & { readonly base: string }> {
  const rig = await createCliRig(['ci'])
  await rig.write('own.ts', text)
  const made = await rig.run('master', 'ci', '--config', 'own.ts')
  assert.equal(made.code, 0, made.err)
  return { ...rig, base: join(rig.path, 'ci') }
}

test('a master is started, spoken to, given a new config, restarted and stopped', async () => {
  await using rig = await createBasedir()
  const on = ['--basedir', 'ci']
  const started = await rig.run('start', 'ci')
  assert.equal(started.code, 0, started.err)
  assert.match(started.out, /^The master in "\S+ci" runs \(process \d+\)\. It logs to "\S+master\.log"\.\n$/)
  assert.equal(statSync(join(rig.base, 'control.sock')).mode & 0o777, 0o600)

  const status = JSON.parse((await rig.ask('status', 'ci', '--json')).out)
  assert.equal(status.running, true)
  const twice = await rig.run('start', 'ci')
  assert.match(twice.err, new RegExp(`is in use already, by process ${status.pid}\\.`))

  const forced = await rig.ask('force', 'full', '--prop', 'a=1', '--prop', 'b=x', '--reason', 'to see', ...on)
  assert.equal(
    forced.out,
    'Request 1 of "full" is queued.\nMind: no slave of "full" is attached: the build waits for one.\n',
  )
  const unknown = await rig.ask('force', 'ful', ...on)
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /^boltbot: There is no builder "ful"\. Did you mean "full"\?/)
  assert.match(
    (await rig.ask('why', ...on)).out,
    /^request 1 {2}full {2}\S+ ago {2}slave bot is not connected since \S+Z\n$/,
  )
  assert.equal((await rig.ask('builds', ...on)).out, 'There are no such builds.\n')
  assert.match((await rig.ask('builds', '--builder', 'nope', ...on)).err, /"nope"/)
  assert.match((await rig.ask('slaves', ...on)).out, /^bot {2}detached {2}0 builds {2}heard never {2}full\n$/)
  assert.match(
    (await rig.ask('plugins', ...on)).out,
    /^ID +KIND +VERSION +STATE +.*\nnone +slave +- +running +0 +0ms +0 +0 +- +-$/m,
  )
  const changed = await rig.ask('change', '--who', 'Jane <jane@example.org>', '--file', 'a.c', '--file', 'b.c', ...on)
  assert.equal(changed.out, 'Change 1.\n')
  assert.deepEqual(JSON.parse((await rig.ask('changes', '--json', ...on)).out)[0].files, ['a.c', 'b.c'])
  assert.match((await rig.ask('now', 'tests', ...on)).err, /There is no scheduler "tests"/)
  assert.equal((await rig.runWith({ BOLTBOT_BASEDIR: 'ci' }, 'cancel', '1')).out, 'Request 1 is cancelled.\n')
  assert.equal((await rig.ask('why', ...on)).out, 'Nothing waits.\n')

  assert.equal((await rig.ask('reconfig', 'ci')).out, 'The config is in force; nothing changed.\n')
  const config = join(rig.base, 'master.cfg.ts')
  writeFileSync(config, LONELY.replaceAll(`'full'`, `'other'`))
  const applied = await rig.ask('sighup', 'ci')
  assert.match(
    applied.out,
    /^What changes:\n {2}builder "full" renamed to "other"[\s\S]*\nThe new config is in force:\n {2}builder "full" renamed to "other"/,
  )
  writeFileSync(config, LONELY.replace('slaves: [bot],', `slaves: ['boot'],`))
  const refused = await rig.ask('reconfig', 'ci')
  assert.equal(refused.code, 1)
  assert.match(refused.err, /master\.cfg\.ts:7:47: builder "full" slaves\[0\]: It names slave "boot"/)
  assert.match((await rig.ask('force', 'other', ...on)).out, /is queued/, 'the old config is still in force')
  const kept = await rig.run('restart', 'ci')
  assert.equal(kept.code, 1)
  assert.equal(JSON.parse((await rig.ask('status', 'ci', '--json')).out).pid, status.pid, 'it was not stopped for it')

  writeFileSync(config, LONELY)
  const restarted = await rig.run('restart', 'ci')
  assert.equal(restarted.code, 0, restarted.err)
  const next = JSON.parse((await rig.ask('status', 'ci', '--json')).out)
  assert.notEqual(next.pid, status.pid)
  assert.equal((await rig.ask('changes', ...on)).out.split('\n').length, 2, 'what was stored is there')
  assert.equal((await rig.ask('stop', 'ci')).code, 0)
  assert.equal(isAlive(next.pid), false)
  assert.equal((await rig.ask('status', 'ci')).code, 1)
})

test('SIGHUP reads the config again, SIGTERM stops', async () => {
  await using rig = await createBasedir()
  await rig.run('start', 'ci')
  const { pid } = readPidFile(rig.base, 'master.pid')!
  writeFileSync(join(rig.base, 'master.cfg.ts'), LONELY.replace('Hello', 'Goodbye'))
  process.kill(pid, 'SIGHUP')
  const logged = () => readFileSync(join(rig.base, 'master.log'), 'utf8')
  await until(() => logged().includes('projectName changed'), { what: 'the new config to be in force', seen: logged })
  process.kill(pid, 'SIGTERM')
  await until(() => !isAlive(pid), { what: 'the master to end', seen: logged })
  assert.equal(readPidFile(rig.base, 'master.pid'), undefined)
})

test('start and status name the address where the pages are', async () => {
  await using rig = await createBasedir(
    LONELY.replace(`projectName: 'Hello'`, `projectName: 'Hello', http: { port: 0 }`),
  )
  const { out } = await rig.run('start', 'ci')
  const [, url] = out.match(/^The master in "\S+ci" runs \(process \d+, (http:\S+\/)\)\. It logs to "\S+"\.\n$/) ?? []
  assert.ok(url, out)
  assert.equal((await fetch(url)).status, 404, 'somebody is there')
  assert.ok((await rig.run('status', 'ci')).out.includes(` (${url}), started `))
  assert.equal(JSON.parse((await rig.run('status', 'ci', '--json')).out).url, url)
})

test('a start that fails prints the reason in one sentence and leaves nothing running', async () => {
  await using rig = await createBasedir(
    LONELY.replace('apply() {}', `apply() {}, start() { throw new Error('The port 80 is taken.') }`),
  )
  const plugin = await rig.run('start', 'ci')
  assert.equal(plugin.code, 1)
  assert.match(plugin.err, /^boltbot: It did not start: .*The port 80 is taken.*\n$/)
  writeFileSync(join(rig.base, 'master.cfg.ts'), LONELY.replace('builders: [full]', 'bilders: [full]'))
  const config = await rig.run('start', 'ci')
  assert.equal(config.code, 1)
  assert.match(
    config.err,
    /^boltbot: It did not start: the config has a problem at \S+master\.cfg\.ts:8:\d+: config builders: .*\n$/,
  )
  assert.equal(readPidFile(rig.base, 'master.pid'), undefined)
})

test('pid files of processes that are gone, or whose number is another process now, do not matter', async () => {
  await using rig = await createBasedir()
  writeFileSync(join(rig.base, 'master.pid'), `${process.pid}\nan-other-start@of-time\n0\n`)
  assert.equal((await rig.ask('status', 'ci')).code, 1)
  if (existsSync('/proc/self/stat')) {
    writeFileSync(join(rig.base, 'master.pid'), `${process.pid}\n`) // nothing says that this process was meant
    assert.equal((await rig.ask('status', 'ci')).code, 1)
  }
  assert.equal((await rig.run('start', 'ci')).code, 0)
  const { pid } = readPidFile(rig.base, 'master.pid')!
  process.kill(pid, 'SIGKILL')
  await until(() => !isAlive(pid), { what: 'the master to be gone' })
  assert.equal((await rig.ask('stop', 'ci')).code, 1)
  const again = await rig.run('start', 'ci')
  assert.equal(again.code, 0, again.err)
  assert.equal((await rig.ask('stop', '--force', 'ci')).code, 0)
})

test('the file "environment" sets variables, and a wrong line in it is told', async () => {
  const text = LONELY.replace(`'Hello'`, 'process.env.PROJECT ?? "none"')
  await using rig = await createBasedir(text)
  writeFileSync(join(rig.base, 'environment'), '# of this master\nPROJECT="My own"\n\n')
  assert.equal((await rig.run('start', 'ci')).code, 0)
  assert.match(readFileSync(join(rig.base, 'master.log'), 'utf8'), /"project":"My own"/)
  await rig.ask('stop', 'ci')
  writeFileSync(join(rig.base, 'environment'), 'PROJECT=1\nwhat is this\n')
  const refused = await rig.run('start', 'ci')
  assert.match(refused.err, /^boltbot: Line 2 of "\S+environment" is "what is this", which is not KEY=VALUE\./)
})

test('a slave is started and stopped in its directory, whether its master is there or not', async () => {
  await using rig = await createCliRig(['bot'])
  await rig.run('slave', 'bot', '127.0.0.1:1', 'bot', 'secret')
  const started = await rig.run('start', 'bot')
  assert.equal(started.code, 0, started.err)
  assert.match(
    started.out,
    /^The slave in "\S+bot" runs[^\n]*\nIt has no link to the master at ws:\/\/127\.0\.0\.1:1 yet, [^\n]*ECONNREFUSED/,
  )
  assert.equal((await rig.run('start', 'bot')).code, 1)
  assert.equal((await rig.ask('stop', 'bot')).code, 0)
  assert.equal((await rig.ask('status', 'bot')).code, 1)
  rmSync(join(rig.path, 'bot', 'password'))
  const failed = await rig.run('start', 'bot')
  assert.equal(failed.code, 1)
  assert.match(failed.err, /^boltbot: It did not start: The password file "\S+password" cannot be read/)
})
