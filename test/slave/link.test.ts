import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Command, hasCode, type SlaveConnection } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { createTcpProxy } from '../e2e/rig/tcp-proxy.ts'
import { marked } from './marked.ts'
import { createRecord, makeBasedir, nextId, openMaster, spawnAgent, startAgent } from './rig.ts'

test('the master learns what info/ says, and the agent answers pings', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using _agent = startAgent(basedir.path)
  const connection = await master.next()
  assert.equal(connection.slave, 'bot')
  assert.equal(connection.info.admin, 'Jane <jane@example.org>')
  assert.equal(connection.info.host, null)
  assert.match(connection.info.version ?? '', /^boltbot \d/)
  assert.equal(connection.info.resumable, true)
  assert.match(connection.peer, /^127\.0\.0\.1:\d+$/)
  const before = connection.lastHeard()
  await connection.ping(AbortSignal.timeout(5000))
  assert.ok(connection.lastHeard() >= before)
  await assert.rejects(connection.ping(AbortSignal.abort(new Error('no'))), /no/)
})

test('a link that is cut again and again loses no byte and doubles none', async () => {
  await using master = await openMaster()
  await using proxy = await createTcpProxy(master.port)
  using basedir = makeBasedir(`ws://127.0.0.1:${proxy.port}`)
  await using _agent = startAgent(basedir.path)
  // 24 MB in bursts over about a second, with its digest at the end.
  const script = `
    const { createHash } = require('node:crypto'); const hash = createHash('sha256'); let n = 0
    const timer = setInterval(() => {
      const text = Array.from({ length: 6000 }, () => 'line ' + n++ + ' ' + 'x'.repeat(70) + '\\n').join('')
      hash.update(text); process.stdout.write(text)
      if (n >= 300000) { clearInterval(timer); process.stdout.write('', () => process.stderr.write(hash.digest('hex'))) }
    }, 20)`
  const record = createRecord()
  const id = nextId()
  let connection = await master.next()
  let call = connection.run(id, 'full', { kind: 'shell', command: [process.execPath, '-e', script] }, record.io)
  for (let cuts = 0; cuts < 4; cuts++) {
    const goal = record.length + 2_000_000
    await until(() => record.length >= goal, { what: 'two more megabytes' })
    const lost = assert.rejects(call, (error) => hasCode(error, 'BOLT_SESSION_LOST'))
    proxy.cut()
    await until(connection.closed, { what: 'the link to be gone' })
    await lost
    proxy.mend()
    connection = await master.next()
    assert.deepEqual(
      connection.held.map((held) => held.id),
      [id],
    )
    call = connection.resume(id, { stdio: record.length }, record.io)
  }
  const result = await until(call, { what: 'the result', deadline: 30_000 })
  assert.equal(result.exitCode, 0)
  const digest = createHash('sha256').update(record.bytes('stdout')).digest('hex')
  assert.equal(digest, record.text('stderr'))
  connection.forget(id)
})

test('a command that ends while there is no link is told afterwards, and again until it is forgotten', async () => {
  await using master = await openMaster()
  await using proxy = await createTcpProxy(master.port)
  using basedir = makeBasedir(`ws://127.0.0.1:${proxy.port}`)
  await using _agent = startAgent(basedir.path)
  const id = nextId()
  const first = await master.next()
  const record = createRecord()
  const command = { kind: 'shell', command: 'echo begin; sleep 0.3; echo end' } as const
  const call = first.run(id, 'full', command, record.io)
  const lost = assert.rejects(call, (error) => hasCode(error, 'BOLT_SESSION_LOST'))
  await until(() => record.text().includes('begin'), { what: 'the first output' })
  proxy.cut()
  await lost
  // It is on the disk when it is done.
  await until(() => existsSync(join(basedir.path, 'spool', `1.1.0.${id.index}`, 'result.json')), {
    what: 'a kept result',
  })
  proxy.mend()
  const second = await master.next()
  assert.deepEqual(
    second.held.map(({ id: held, running }) => ({ held, running })),
    [{ held: id, running: false }],
  )
  const again = createRecord()
  assert.equal((await second.resume(id, {}, again.io)).exitCode, 0)
  assert.equal(again.text('stdout'), 'begin\nend\n')
  proxy.cut()
  proxy.mend()
  const third = await master.next()
  assert.equal((await third.resume(id, { stdio: record.length }, record.io)).exitCode, 0)
  assert.equal(record.text('stdout'), 'begin\nend\n')
  third.forget(id)
  await until(() => readdirSync(join(basedir.path, 'spool')).join() === 'instance', { what: 'an empty spool' })
  await assert.rejects(third.resume(id, {}, record.io), (error) => hasCode(error, 'BOLT_AGENTS_NOT_HELD'))
})

test('an agent that is killed leaves nothing running, keeps what was finished, and has lost what was not', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  const running = nextId()
  const finished = nextId()
  {
    await using agent = spawnAgent(basedir.path)
    const connection = await master.next()
    const record = createRecord()
    const call = connection.run(running, 'full', { kind: 'shell', command: 'echo up; setsid sleep 66' }, record.io)
    const lost = assert.rejects(call, (error) => hasCode(error, 'BOLT_SESSION_LOST'))
    await connection.run(finished, 'full', { kind: 'shell', command: 'echo kept' }, createRecord().io)
    await until(() => record.text().includes('up\n'), { what: 'the command to be up' })
    const kept = join(basedir.path, 'spool', `1.1.0.${finished.index}`, 'result.json')
    await until(() => existsSync(kept), { what: 'the result on the disk' })
    agent.child.kill('SIGKILL')
    await lost
    assert.ok(marked(basedir.path).length > 0)
  }
  await using _agent = spawnAgent(basedir.path)
  const connection = await master.next()
  assert.deepEqual(
    connection.held.map(({ id, running }) => ({ id, running })),
    [
      { id: finished, running: false },
      { id: running, running: false },
    ],
  )
  // It says so also when it is asked to run it: no command is started twice.
  const again = connection.run(running, 'full', { kind: 'shell', command: 'echo again' }, createRecord().io)
  await assert.rejects(again, /has no command/)
  connection.forget(running)
  assert.deepEqual(marked(basedir.path), [])
  const record = createRecord()
  assert.equal((await connection.resume(finished, {}, record.io)).exitCode, 0)
  assert.equal(record.text('stdout'), 'kept\n')
})

test('SIGTERM to the agent ends its commands and the agent; the master sees a lost link, not a failed command', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = spawnAgent(basedir.path)
  const connection = await master.next()
  const record = createRecord()
  const call = connection.run(nextId(), 'full', { kind: 'shell', command: 'echo up; sleep 67' }, record.io)
  const lost = assert.rejects(call, (error) => hasCode(error, 'BOLT_SESSION_LOST'))
  await until(() => record.text().includes('up\n'), { what: 'the command to be up' })
  agent.child.kill('SIGTERM')
  await lost
  assert.match(await connection.closed, /the slave is stopped: it got SIGTERM/)
  assert.equal(
    await until(
      agent.exited.then((code) => `${code}`),
      { what: 'the agent to exit' },
    ),
    '0',
  )
  assert.deepEqual(marked(basedir.path), [])
  assert.equal(existsSync(join(basedir.path, 'agent.pid')), false)
})

test('shutdown lets what runs be finished and delivered, then the agent exits with 0', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = spawnAgent(basedir.path)
  const connection = await master.next()
  const record = createRecord()
  const id = nextId()
  const call = connection.run(id, 'full', { kind: 'shell', command: 'echo up; sleep 0.3; echo end' }, record.io)
  await until(() => record.text().includes('up\n'), { what: 'the command to be up' })
  await connection.shutdown()
  assert.equal((await call).exitCode, 0)
  assert.equal(record.text('stdout'), 'up\nend\n')
  connection.forget(id)
  assert.equal(
    await until(
      agent.exited.then((code) => `${code}`),
      { what: 'the agent to exit' },
    ),
    '0',
  )
  await connection.closed
})

test('SIGHUP has the agent ask to be let go; without a link and with nothing to do it exits at once', async () => {
  const master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = spawnAgent(basedir.path)
  const connection = await master.next()
  agent.child.kill('SIGHUP')
  assert.equal(await until(connection.leaving!, { what: 'the agent to ask' }), 'it got SIGHUP')
  assert.equal(agent.child.exitCode, null, 'it waits for the word of its master')
  const dropped = connection.closed
  await master[Symbol.asyncDispose]()
  await dropped
  agent.child.kill('SIGHUP')
  assert.equal(await until(agent.exited, { what: 'the agent to exit' }), 0)
})

test('an agent that asked to be let go asks again on its next link', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = spawnAgent(basedir.path)
  const first = await master.next()
  agent.child.kill('SIGHUP')
  await until(first.leaving!, { what: 'the agent to ask' })
  first.close('cut by the test')
  const second = await master.next()
  assert.equal(await until(second.leaving!, { what: 'the agent to ask again' }), 'it got SIGHUP')
  await second.shutdown()
  assert.equal(await until(agent.exited, { what: 'the agent to exit' }), 0)
})

test('output that cannot be stored ends the call with that error and leaves the link alone', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using _agent = startAgent(basedir.path)
  const connection = await master.next()
  const id = nextId()
  const output = () => Promise.reject(new Error('disk full'))
  await assert.rejects(
    connection.run(id, 'full', { kind: 'shell', command: 'echo x; sleep 68' }, { output }),
    /disk full/,
  )
  connection.forget(id)
  await until(() => marked(basedir.path).length === 0, { what: 'the command to be ended' })
  await connection.ping(AbortSignal.timeout(5000))
})

test('a master that stores slowly gets no more than a window ahead; the rest waits on the disk', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using _agent = startAgent(basedir.path)
  const connection = await master.next()
  const id = nextId()
  const gate = Promise.withResolvers<void>()
  const record = createRecord()
  let calls = 0
  const output: typeof record.io.output = async (...piece) => {
    calls++
    await gate.promise
    return record.io.output(...piece)
  }
  const script = `process.stdout.write('x'.repeat(8_000_000), () => process.stderr.write('all'))`
  const call = connection.run(id, 'full', { kind: 'shell', command: [process.execPath, '-e', script] }, { output })
  const file = join(basedir.path, 'spool', `1.1.0.${id.index}`, '0.log')
  await until(() => existsSync(file) && readFileSync(file).length > 7_000_000, { what: 'the output on the disk' })
  assert.equal(calls, 1)
  gate.resolve()
  assert.equal((await call).exitCode, 0)
  assert.equal(record.bytes('stdout').length, 8_000_000)
})

test('two agents cannot run in one base directory', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using _agent = spawnAgent(basedir.path)
  await master.next()
  await using second = spawnAgent(basedir.path)
  assert.equal(
    await until(
      second.exited.then((code) => `${code}`),
      { what: 'the second to give up' },
    ),
    '1',
  )
})

test('a slave whose builders change is told, and a bad directory is refused in words', async () => {
  await using master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using _agent = startAgent(basedir.path)
  const connection: SlaveConnection = await master.next()
  await connection.setBuilders([{ name: 'other', directory: 'elsewhere' }])
  assert.ok(existsSync(join(basedir.path, 'elsewhere')))
  const gone = await connection.run(nextId(), 'full', { kind: 'shell', command: 'true' }, createRecord().io)
  assert.equal(gone.error, 'This slave has no builder "full".')
  await assert.rejects(
    connection.setBuilders([{ name: 'evil', directory: '../x' }]),
    /cannot have the directory "..\/x"/,
  )
})

test('a master that is another process takes up a command from where it is, if it is the one it means', async () => {
  await using master = await openMaster()
  await using proxy = await createTcpProxy(master.port)
  using basedir = makeBasedir(`ws://127.0.0.1:${proxy.port}`)
  await using _agent = startAgent(basedir.path)
  const id = nextId()
  const command = { kind: 'shell', command: 'echo one; echo two >&2; echo three; sleep 0.1' } as const
  const first = createRecord()
  const connection = await master.next()
  await connection.run(id, 'full', command, first.io)
  const instance = connection.info.instance
  proxy.cut()
  proxy.mend()
  const next = await master.next()
  assert.equal(next.info.instance, instance)
  const { lengths } = next.held[0]!
  assert.deepEqual(lengths, { stdio: first.length })

  const header = first.text('header').length
  const from = async (offset: number, streams: object, asked: Command = command) => {
    const record = createRecord()
    await next.resume(id, { stdio: offset }, record.io, { streams: { stdio: streams }, command: asked })
    return record.length
  }
  const whole = { header, stdout: 'one\nthree\n'.length, stderr: 'two\n'.length }
  assert.equal(await from(first.length, whole), 0)
  assert.equal(await from(first.length, { ...whole, stdout: 1 }), first.length, 'all of it, when the streams differ')
  assert.equal(await from(first.length + 1, whole), first.length, 'all of it, when there is less')
  await assert.rejects(from(0, {}, { ...command, command: 'echo other' }), /has no command/)
})
