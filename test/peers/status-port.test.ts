import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot'
import { until } from 'boltbot/plugin-sdk/testing'
import { local } from 'boltbot/plugins/slaves/local'
import { pbListener } from 'boltbot/plugins/status/pb-listener'
import { reservePort } from '../e2e/rig/ports.ts'
import { type LiveMaster, startLiveMaster } from './rig/live-master.ts'
import { boltbot } from './rig/run-program.ts'
import { edit, tryWorld } from './rig/try-world.ts'
import { absent } from './rig/worker.ts'
import { sh } from './rig/worker-stories.ts'

/** Debian's, which has Debian's Twisted. */
const PYTHON = '/usr/bin/python3'
const withoutTwisted =
  spawnSync(PYTHON, ['-c', 'import twisted.spread.pb']).status === 0 ? false : 'python3-twisted is not installed'

async function world(context: TestContext): Promise<{ readonly live: LiveMaster; readonly port: number }> {
  const port = await reservePort()
  const bot = slave({ name: 'bot' })
  const live = await startLiveMaster({
    transports: [local()],
    slaves: [bot],
    builders: [
      builder({
        name: 'full',
        slaves: [bot],
        factory: buildFactory([sh('echo grün; echo oops >&2', { name: 'say' }), sh('exit 3', { name: 'fail' })]),
      }),
    ],
    status: [pbListener({ port, password: 'clientpw' })],
  })
  context.after(() => live[Symbol.asyncDispose]())
  await live.event('slaveConnected')
  return { live, port }
}

interface Peer {
  readonly lines: readonly (readonly unknown[])[]
  readonly exited: Promise<unknown>
  kill(): void
}

function twistedClient(context: TestContext, port: number, password: string, mode: string): Peer {
  const child = spawn(PYTHON, [
    join(import.meta.dirname, 'rig/status-client.py'),
    ...[`${port}`, 'statusClient', password, mode, 'full'],
  ])
  const lines: unknown[][] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
  child.stderr.on('data', (data) => lines.push(['stderr', `${data}`]))
  const exited = new Promise((resolve) => child.on('close', resolve))
  context.after(() => child.kill('SIGKILL'))
  return { lines, exited, kill: () => child.kill('SIGKILL') }
}

const seen = (peer: Peer, ...words: readonly unknown[]) =>
  until(() => peer.lines.some((line) => words.every((word, at) => line[at] === word)), {
    what: `the client to be told ${words.join(' ')}`,
    deadline: 20_000,
    seen: () => JSON.stringify(peer.lines),
  })

test('a status client on Twisted is told all, and finds its way through the tree', {
  skip: withoutTwisted,
  timeout: 60_000,
}, async (context) => {
  const { live, port } = await world(context)
  const peer = twistedClient(context, port, 'clientpw', 'full')
  await seen(peer, 'getState', 'full', 'idle', null, 0)
  await live.build('full')
  await until(peer.exited, { what: 'the client to end', deadline: 20_000, seen: () => JSON.stringify(peer.lines) })
  const of = (event: string) => peer.lines.filter(([name]) => name === event)
  assert.deepEqual(of('stderr'), [])
  assert.deepEqual(of('buildStarted'), [['buildStarted', 'full']])
  assert.deepEqual(of('stepFinished'), [
    ['stepFinished', 'full', 'say', 0],
    ['stepFinished', 'full', 'fail', 2],
  ])
  assert.deepEqual(of('logFinished').slice(0, 1), [['logFinished', 'full', 'say', 'stdio']])
  const chunks = of('logChunk').filter(([, , step]) => step === 'say')
  const said = (channel: number) =>
    chunks
      .filter((line) => line[4] === channel)
      .map((line) => line[5])
      .join('')
  assert.deepEqual([said(0), said(1)], ['grün\n', 'oops\n'])
  assert.deepEqual(of('buildFinished'), [['buildFinished', 'full', 2]])
  assert.deepEqual(of('build'), [['build', 0, ['failed', 'fail'], 2, true]])
  assert.deepEqual(of('step')[0], ['step', 'say', 0, 'grün\noops\n', [0, 1, 2]])
  assert.deepEqual(of('pong'), [['pong', 'pong', ['full']]])
  assert.equal(of('refused').length, 1)
})

test('Twisted clients that vanish or have a wrong password are no trouble', {
  skip: withoutTwisted,
  timeout: 60_000,
}, async (context) => {
  const { live, port } = await world(context)
  const stranger = twistedClient(context, port, 'wrong', 'full')
  await seen(stranger, 'login refused')
  assert.match(JSON.stringify(stranger.lines), /UnauthorizedLogin/)
  const gone = twistedClient(context, port, 'clientpw', 'full')
  await seen(gone, 'builderAdded', 'full')
  gone.kill()
  await until(() => live.log.find('info', 'status client gone').length === 1, { what: 'the client to be missed' })
  assert.equal((await live.build('full')).result, 'failure')
  assert.deepEqual(live.log.find('error'), [])
})

test('boltbot statuslog prints what a master elsewhere tells', { timeout: 60_000 }, async (context) => {
  const { live, port } = await world(context)
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-statuslog-'))
  context.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'password'), 'clientpw\n', { mode: 0o600 })
  const entry = join(process.cwd(), 'core/cli/boltbot.js')
  const login = ['--master', `127.0.0.1:${port}`, '--passwd-file', join(folder, 'password')]
  const child = spawn(process.execPath, [entry, 'statuslog', ...login, '--mode', 'full'])
  context.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line.split('  ').slice(1).join(' ')))
  const stderr = text(child.stderr)
  const printed = (line: string) =>
    until(() => lines.includes(line), { what: line, deadline: 20_000, seen: () => lines.join('\n') })
  await printed('builderChangedState full idle')
  await live.build('full')
  await live.build('full')
  await printed('buildFinished full/1 failure')
  for (const line of ['buildStarted full/0', 'stepStarted full/0 say', 'logChunk full/0 say stdio grün'])
    assert.ok(lines.includes(line), lines.join('\n'))
  assert.ok(lines.includes('stepFinished full/1 fail failure'), lines.join('\n'))
  await live[Symbol.asyncDispose]()
  assert.match(await stderr, /^boltbot: The connection to the master .* was lost/)
  const wrong = await boltbot(['statuslog', '--master', `127.0.0.1:${port}`, '--passwd', 'x'])
  assert.match(wrong.stderr, /^boltbot: The master .* cannot be reached/)
})

test('a job that is dropped by ssh is followed through the status port to its end', {
  skip: absent('buildbot-worker'),
  timeout: 120_000,
}, async (context) => {
  const statusPort = await reservePort()
  const given = await tryWorld(context, { status: [pbListener({ port: statusPort, password: 'clientpw' })] })
  edit(given, 'hello\n')
  const ssh = join(given.clone, 'ssh')
  writeFileSync(ssh, '#!/bin/sh\nwhile [ "$1" != ci.example.org ]; do shift; done\nshift\nexec sh -c "$*"\n', {
    mode: 0o755,
  })
  const program = join(given.clone, 'program')
  const entry = join(process.cwd(), 'core/cli/boltbot.js')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`, { mode: 0o755 })
  const options = { cwd: given.clone, env: { HOME: given.clone, BOLTBOT_PASSWD: 'clientpw' }, deadline: 60_000 }
  const args = [
    ...['try', '--connect=ssh', `--ssh=${ssh}`, '--host=ci.example.org', `--jobdir=${given.jobdir}`],
    ...[`--buildbotbin=${program}`, '--vc=git', `--master=127.0.0.1:${statusPort}`, '--wait'],
  ]
  const good = await boltbot([...args, '-b', 'good'], options)
  assert.equal(good.code, 0, good.stdout + good.stderr)
  assert.match(good.stdout, /^good: check$/m)
  assert.match(good.stdout, /^good: success \(.*\)$/m)
  const both = await boltbot([...args, '-b', 'good', '-b', 'bad'], options)
  assert.equal(both.code, 1, both.stdout + both.stderr)
  assert.match(both.stdout, /^bad: failure/m)
  const names = await boltbot([...args, '--get-builder-names'], options)
  assert.deepEqual(names.stdout.trim().split('\n'), ['good', 'bad', 'private'])
  const before = (await given.live.master.query.builds({})).length
  const refused = await boltbot([...args, '-b', 'good', '--passwd', 'wrong'], options)
  assert.match(refused.stderr, /does not let "statusClient" in/)
  assert.equal((await given.live.master.query.builds({})).length, before, 'what cannot be followed is not begun')
})
