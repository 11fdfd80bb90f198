import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createCliRig, LONELY } from '../../rig/cli.ts'

test('an unknown command or option gets a suggestion and exit code 2', async () => {
  await using rig = await createCliRig()
  const [command, option, argument, nothing] = await Promise.all([
    rig.ask('bilds'),
    rig.ask('builds', '--limt', '4'),
    rig.ask('now'),
    rig.ask(),
  ])
  assert.deepEqual(command, { code: 2, out: '', err: 'boltbot: Unknown command "bilds". Did you mean "builds"?\n' })
  assert.deepEqual(option, { code: 2, out: '', err: 'boltbot: Unknown option "--limt". Did you mean "--limit"?\n' })
  assert.equal(argument.code, 2)
  assert.equal(argument.err, 'boltbot: Missing required argument "scheduler". --help shows what there is.\n')
  assert.equal(nothing.code, 2)
})

test('a command whose reader has seen enough ends quietly', async () => {
  const command = new URL('../../../core/cli/boltbot.js', import.meta.url).pathname
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', command, '--help'])
  child.stdout.destroy()
  const [[code], err] = await Promise.all([once(child, 'exit'), text(child.stderr)])
  assert.deepEqual([code, err], [0, ''])
})

test('a directory where none can be made is one sentence, and does not hang', {
  skip: !existsSync('/proc/self') && 'no /proc',
}, async () => {
  await using rig = await createCliRig()
  const { code, err } = await rig.ask('master', '/proc/boltbot')
  assert.equal(code, 1)
  assert.match(err, /^boltbot: The directory "\/proc\/boltbot" cannot be made: [^\n]*\n$/)
})

test('every command has help with an example', async () => {
  await using rig = await createCliRig()
  const { code, out } = await rig.ask('--help')
  assert.equal(code, 0)
  const names = [...out.matchAll(/^ {2}([a-z][\w-]*)(?:\|\w+)? .*\S/gm)].map((match) => match[1]!)
  const commands = names.filter((name) => name !== 'help' && !name.startsWith('-'))
  assert.ok(commands.length >= 19, commands.join())
  // One process for all: a start of Node each would take longer than all other tests of this file.
  const script = await rig.write(
    'help.mjs',
    `const { main } = await import(process.argv[2])
for (const command of process.argv.slice(3)) await main(['node', 'boltbot', command, '--help'])`,
  )
  const main = new URL('../../../core/cli/main.ts', import.meta.url).href
  const helps = execFileSync(process.execPath, [script, main, ...commands], { encoding: 'utf8' })
  assert.equal(helps.match(/^Usage: boltbot /gm)?.length, commands.length)
  assert.equal(helps.match(/^Example:\n {2}\$ boltbot /gm)?.length, commands.length)
  for (const help of helps.split(/^Usage: boltbot /m).slice(1)) {
    const [usage = '', ...lines] = help.split('\n')
    const said = lines.filter((line, i) => /^ {2}\S.* {2,}\S/.test(line) || /^ {10,}\S/.test(lines[i + 1] ?? ''))
    const terms = lines.filter((line) => /^ {2}[\w-]/.test(line))
    assert.deepEqual(
      terms.filter((term) => !said.includes(term)),
      [],
      usage,
    )
    for (const [, name] of usage.replace(/\[(options|command)\]/g, '').matchAll(/[<[](\S+?)(?:\.\.\.)?[>\]]/g))
      assert.ok(
        said.some((line) => line.startsWith(`  ${name} `)),
        `${usage}: what is ${name}?`,
      )
  }
})

test('commands for a master that does not run say so in one sentence', async () => {
  await using rig = await createCliRig()
  const [builds, stop] = await Promise.all([rig.ask('builds'), rig.ask('stop', '.')])
  assert.equal(builds.code, 1)
  assert.match(builds.err, /^boltbot: No master runs in "\S+"\. Start it with "boltbot start", or name .*\n$/)
  assert.equal(stop.code, 1)
  assert.match(stop.err, /is neither the base directory of a master \(master\.cfg\.ts\) nor of a slave/)
})

test('a base directory that cannot be used is one sentence', async () => {
  await using rig = await createCliRig()
  await rig.write('file', '')
  const [missing, file, made] = await Promise.all([
    rig.ask('start', 'nowhere'),
    rig.ask('start', 'file'),
    rig.ask('master', 'file/below'),
  ])
  assert.match(missing.err, /^boltbot: The directory "\S+nowhere" cannot be used: it does not exist\. [^\n]*\n$/)
  assert.match(file.err, /cannot be used: it is not a directory\./)
  assert.match(missing.err, /Look at how it is written, and where you are\.\n$/)
  assert.match(made.err, /^boltbot: The directory "\S+below" cannot be made: it is not a directory\./)
  assert.deepEqual([missing.code, file.code, made.code], [1, 1, 1])
})

test('a base directory stands alone: its files, modes and links', async () => {
  await using rig = await createCliRig()
  const config = await rig.write('own.ts', LONELY)
  const made = await rig.ask('master', 'ci', '--config', config)
  assert.equal(made.code, 0, made.err)
  const base = join(rig.path, 'ci')
  assert.equal(readFileSync(join(base, 'master.cfg.ts'), 'utf8'), LONELY)
  assert.equal(statSync(join(base, 'secrets')).mode & 0o777, 0o700)
  const { type, dependencies, devDependencies } = JSON.parse(readFileSync(join(base, 'package.json'), 'utf8'))
  assert.equal(type, 'module')
  assert.match(dependencies.boltbot, /^file:/)
  assert.match(devDependencies['@types/node'], /^file:/)
  assert.ok(existsSync(join(base, 'node_modules', 'boltbot', 'package.json')))
  const { include } = JSON.parse(readFileSync(join(base, 'tsconfig.json'), 'utf8'))
  assert.deepEqual(
    include,
    ['*.ts', 'plugins'],
    "what the master keeps in data/, checked out sources for instance, is nobody's config",
  )
  const odd = await rig.ask('master', 'odd', '--config', await rig.write('own.txt', LONELY))
  assert.match(odd.err, /^boltbot: The config "\S+own\.txt" cannot be used: it must be a \.ts, \.js or \.mjs file\.\n$/)
  const again = await rig.ask('master', 'ci')
  assert.match(again.err, /There is a "master\.cfg\.ts" in "\S+ci" already\./)
  assert.equal(again.code, 1)
})

test('the config of a new base directory is good', async () => {
  await using rig = await createCliRig()
  await rig.ask('master', 'ci')
  const checked = await rig.ask('checkconfig', 'ci')
  assert.equal(checked.err, '')
  assert.equal(checked.code, 0)
  assert.match(checked.out, /Hello: 1 builder on 1 slave\.[\s\S]*Builder "hello" \(1 step: .*\) runs on "here"\./)
})

test('checkconfig shows every problem and ends with code 1; --json gives them to programs', async () => {
  await using rig = await createCliRig()
  const file = await rig.write(
    'bad.ts',
    LONELY.replace('projectName', 'projectNam').replace('slaves: [bot],', `slaves: ['boot'],`),
  )
  const [plain, json, none] = await Promise.all([
    rig.ask('checkconfig', file),
    rig.ask('checkconfig', file, '--json'),
    rig.ask('checkconfig', 'nope.ts'),
  ])
  assert.equal(plain.code, 1)
  assert.deepEqual(
    plain.err.split('\n').map((line) => line.split(': ')[0]),
    ['bad.ts:7:47', 'bad.ts:8:29', 'bad.ts:8:31', `3 problems in ${file}`, ''],
  )
  assert.equal(json.code, 1)
  assert.equal(JSON.parse(json.out).problems.length, 3)
  assert.match(none.err, /There is no config file "\S+nope\.ts"\./)
})

test('a command for masters says so of the directory of a slave', async () => {
  await using rig = await createCliRig()
  await rig.ask('slave', 'bot', 'ci.example.org:9990', 'bot-linux', 'hunter2')
  for (const { code, err } of await Promise.all([rig.ask('checkconfig', 'bot'), rig.ask('reconfig', 'bot')])) {
    assert.match(err, /^boltbot: "\S+bot" is the directory of a slave, which has no config to read\. Name [^\n]*\n$/)
    assert.equal(code, 1)
  }
})

test('a config or environment that may not be read is one sentence', {
  skip: process.getuid?.() === 0 && 'root may read everything',
}, async () => {
  await using rig = await createCliRig()
  await rig.ask('master', 'ci')
  const base = join(rig.path, 'ci')
  chmodSync(await rig.write('ci/environment', 'A=b\n'), 0)
  assert.match((await rig.ask('start', 'ci')).err, /^boltbot: "\S+environment" cannot be read: permission is denied\. /)
  chmodSync(join(base, 'master.cfg.ts'), 0)
  const checked = await rig.ask('checkconfig', 'ci')
  assert.match(checked.err, /^boltbot: "\S+master\.cfg\.ts" cannot be read: permission is denied\. [^\n]*\n$/)
})

test('a slave directory has its files, and the password for its owner only', async () => {
  await using rig = await createCliRig()
  const args = ['--umask', '027', '--keepalive', '30', '--maxdelay', '60', '--usepty']
  const made = await rig.ask('slave', ...args, 'bot', 'ci.example.org:9990', 'bot-linux', 'hunter2')
  assert.equal(made.code, 0, made.err)
  const base = join(rig.path, 'bot')
  assert.deepEqual(JSON.parse(readFileSync(join(base, 'slave.json'), 'utf8')), {
    url: 'ws://ci.example.org:9990',
    name: 'bot-linux',
    passwordFile: 'password',
    umask: '027',
    keepalive: 30,
    maxdelay: 60,
    usepty: true,
  })
  assert.equal(readFileSync(join(base, 'password'), 'utf8'), 'hunter2\n')
  assert.equal(statSync(join(base, 'password')).mode & 0o777, 0o600)
  assert.ok(existsSync(join(base, 'info', 'admin')) && existsSync(join(base, 'info', 'host')))
  const [address, umask] = await Promise.all([
    rig.ask('slave', 'x', 'example.org', 'a', 'b'),
    rig.ask('slave', '--umask', '99', 'x', 'example.org:1', 'a', 'b'),
  ])
  assert.match(address.err, /The address "example\.org" cannot be used: it must be host:port\./)
  assert.match(umask.err, /The umask "99" cannot be used/)
  assert.deepEqual([address.code, umask.code], [2, 2])
  assert.equal(existsSync(join(rig.path, 'x')), false)
})

test('an older Node is told in one sentence what is needed', async () => {
  await using rig = await createCliRig()
  mkdirSync(join(rig.path, 'old'))
  const bin = readFileSync(new URL('../../../core/cli/boltbot.js', import.meta.url), 'utf8')
  assert.match(bin, /^#!\/usr\/bin\/env node\n/)
  const file = await rig.write('old/boltbot.mjs', bin.replace('const NEEDED = 26', 'const NEEDED = 99'))
  const [code, err] = await new Promise<[unknown, string]>((resolve) =>
    execFile(process.execPath, [file, 'start'], (error, _out, stderr) => resolve([error?.code, stderr])),
  )
  assert.equal(code, 2)
  assert.match(err, /^boltbot needs Node\.js 99 or newer; this is v\d+\.\d+\.\d+\.\n$/)
})
