import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Host, hasCode, type SlaveConnection, type SlaveView, slave } from 'boltbot/plugin-sdk'
import { createMemoryLog, createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { type LocalOptions, local } from 'boltbot/plugins/slaves/local'
import { createClock } from '../../../core/clock.ts'
import { createRecord, nextId } from '../../slave/rig.ts'

test('a slave is started, works, and is ended with the master when it shall not be kept', async () => {
  using folder = makeFolder()
  const rig = await startLocal(folder.path, { slaves: [slave({ name: 'here' }), 'there'], keepAlive: false })
  const connections = [await rig.next(), await rig.next()]
  assert.deepEqual(connections.map((connection) => connection.slave).sort(), ['here', 'there'])
  assert.equal(statSync(join(folder.path, 'agents.sock')).mode & 0o777, 0o600)
  assert.equal(statSync(join(folder.path, 'slaves', 'here', 'password')).mode & 0o777, 0o600)
  const record = createRecord()
  const here = connections.find((connection) => connection.slave === 'here')!
  const result = await here.run(nextId(), 'full', { kind: 'shell', command: 'echo hello' }, record.io)
  assert.equal(result.exitCode, 0)
  assert.equal(record.text('stdout'), 'hello\n')
  const pids = ['here', 'there'].map((name) => pidOf(folder.path, name))
  await rig.stop()
  assert.deepEqual(pids.map(alive), [false, false])
})

test('secrets of the master are not in the environment of its slaves', async () => {
  using folder = makeFolder()
  process.env.BOLTBOT_SECRET_X = 'hidden'
  try {
    await using rig = await startLocal(folder.path, { slaves: ['here'], keepAlive: false })
    const record = createRecord()
    const connection = await rig.next()
    await connection.run(nextId(), 'full', { kind: 'shell', command: 'env' }, record.io)
    assert.match(record.text('stdout'), /^PATH=/m)
    assert.doesNotMatch(record.text('stdout'), /BOLTBOT_SECRET|hidden/)
  } finally {
    delete process.env.BOLTBOT_SECRET_X
  }
})

test('a master that comes back finds its slave running, with the command it had', async () => {
  using folder = makeFolder()
  const id = nextId()
  const record = createRecord()
  const first = await startLocal(folder.path, { slaves: ['here'] })
  const connection = await first.next()
  const command = { kind: 'shell', command: 'echo begin; sleep 1; echo end' } as const
  const lost = assert.rejects(connection.run(id, 'full', command, record.io), (error) =>
    hasCode(error, 'BOLT_SESSION_LOST'),
  )
  await until(() => record.text('stdout') === 'begin\n', { what: 'the first output' })
  await first.stop()
  await lost
  const pid = pidOf(folder.path, 'here')
  assert.ok(alive(pid))

  await using second = await startLocal(folder.path, { slaves: ['here'], keepAlive: false })
  const again = await second.next()
  assert.deepEqual(
    again.held.map((held) => held.id),
    [id],
  )
  assert.equal((await again.resume(id, { stdio: record.length }, record.io)).exitCode, 0)
  assert.equal(record.text('stdout'), 'begin\nend\n')
  assert.equal(pidOf(folder.path, 'here'), pid)
  assert.equal(second.log.find('info', 'local slave runs already').length, 1)
})

test('a slave that dies is started again', async () => {
  using folder = makeFolder()
  await using rig = await startLocal(folder.path, { slaves: ['here'], keepAlive: false })
  const connection = await rig.next()
  const pid = pidOf(folder.path, 'here')
  process.kill(pid, 'SIGKILL')
  await until(connection.closed, { what: 'the link to be gone' })
  await rig.next()
  assert.notEqual(pidOf(folder.path, 'here'), pid)
  assert.equal(rig.log.find('warn', 'local slave ended').length, 1)
})

test('a slave that left the config is ended at the next start', async () => {
  using folder = makeFolder()
  const first = await startLocal(folder.path, { slaves: ['old'] })
  await first.next()
  const pid = pidOf(folder.path, 'old')
  await first.stop()
  assert.ok(alive(pid))
  await using second = await startLocal(folder.path, { slaves: ['new'], keepAlive: false })
  assert.equal((await second.next()).slave, 'new')
  await until(() => !alive(pid), { what: 'the former slave to end' })
})

test('without a list it starts the slaves that have no password, and follows the config', async () => {
  using folder = makeFolder()
  const names = ['remote', 'one']
  await using rig = await startLocal(folder.path, { keepAlive: false }, names)
  assert.equal((await rig.next()).slave, 'one')
  names.splice(0, 2, 'remote', 'two')
  assert.equal((await rig.next()).slave, 'two')
  await until(() => rig.log.find('info', 'local slave no longer wanted')[0], { what: 'the first to be ended' })
})

test('a long directory name does not matter', async () => {
  using folder = makeFolder()
  const long = join(folder.path, 'x'.repeat(60), 'y'.repeat(60))
  mkdirSync(long, { recursive: true })
  await using rig = await startLocal(long, { slaves: ['a slave/with: any name'], keepAlive: false })
  assert.equal((await rig.next()).slave, 'a slave/with: any name')
})

test('wrong options are told', () => {
  const host = createTestHost()
  assert.throws(() => host.apply(local({ slaves: [3] } as never)), /Give slaves of the config/)
  assert.throws(() => host.apply(local({ slave: ['x'] } as never)), /slave/)
})

async function startLocal(directory: string, options: LocalOptions, names: readonly string[] = []) {
  const log = createMemoryLog()
  const view = (name: string) => ({ name }) as SlaveView // the plugin looks at the names only
  const doors: Partial<Host> = { clock: createClock(log) }
  const host = createTestHost({
    log,
    directory,
    query: { slaves: async () => names.map(view) },
    slaves: { remote: 'secret', one: undefined, two: undefined },
    override: doors,
  })
  await host.run(local(options))
  let seen = 0
  return {
    log,
    async next(): Promise<SlaveConnection> {
      const index = seen++
      const connection = await until(() => host.attached[index], { what: 'a local slave', seen: () => log.text() })
      await connection.setBuilders([{ name: 'full', directory: 'full' }])
      return connection
    },
    stop: () => host.stop(),
    [Symbol.asyncDispose]: () => host.stop(),
  }
}

function pidOf(directory: string, name: string): number {
  return (JSON.parse(readFileSync(join(directory, 'slaves', name, 'agent.pid'), 'utf8')) as { pid: number }).pid
}

function alive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] !== 'Z'
  } catch {
    return false // gone
  }
}

function makeFolder(): { readonly path: string } & Disposable {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'boltbot-local-')))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}
