import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { CommandIo, SlaveConnection, Stream } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { createBroker } from '../../../wire/pb/broker.ts'
import { logIn } from '../../../wire/pb/login.ts'
import { itemsOf } from '../../../wire/pb/plain.ts'
import type { RemoteReference, Value } from '../../../wire/pb/values.ts'
import { connectRaw, type ListeningHost, listen, recorded, startScriptedWorker } from './pb-worker.ts'

async function attached(host: ListeningHost): Promise<SlaveConnection> {
  const connection = await until(() => host.attached.at(-1), {
    what: 'a worker to attach',
    seen: () => host.log.text(),
  })
  await connection.setBuilders([{ name: 'full', directory: 'full' }])
  return connection
}

function collect(): { readonly io: CommandIo; readonly text: Record<Stream, string> } {
  const text = { stdout: '', stderr: '', header: '' }
  return { text, io: { output: async (_, stream, __, data) => void (text[stream] += Buffer.from(data).toString()) } }
}

const id = { build: 1, epoch: 1, step: 0, index: 0 }
const shell = { kind: 'shell', command: ['true'] } as const

for (const name of ['pb-worker4x', 'pb-errors', 'pb-bigoutput', 'pb-timeout-gracefulworker', 'pb-interrupt'])
  test(`all that the worker of ${name} reported is understood`, async () => {
    await using host = await listen()
    const { info, commands } = recorded(name)
    assert.ok(commands.length > 0)
    const left = [...commands]
    using _worker = startScriptedWorker(host.port, { getWorkerInfo: () => info }, (_, command) => {
      for (const { method, args } of left.shift()!) command.call(method, args).catch(() => {})
    })
    const connection = await attached(host)
    assert.match(String(connection.info.version), /^\d|latest/)
    for (const reports of commands) {
      const { io, text } = collect()
      const result = await connection.run(id, 'full', shell, io)
      const entries = reports.flatMap(({ args }) =>
        itemsOf(args[0]).flatMap((pair) => [...((itemsOf(pair)[0] as Map<string, Value>) ?? [])]),
      )
      const all = (key: string) => entries.filter(([k]) => k === key).map(([, value]) => value)
      assert.equal(text.stdout, all('stdout').join(''))
      const reason = all('failure_reason')[0]
      if (reason === 'timeout_without_output') assert.equal(result.cause, 'timeout')
      else if (all('header').some((line) => /^\ncommand timed out: .* without output/.test(String(line))))
        assert.equal(result.cause, 'timeout')
      else if (result.cause === 'exit')
        assert.ok(result.exitCode === all('rc')[0] || result.signal !== null, JSON.stringify(result))
    }
    assert.deepEqual(host.log.find('error'), [])
  })

test('a slave of the 0.8 years is asked in its own words', async () => {
  await using host = await listen()
  const old = {
    getSlaveInfo: () =>
      new Map<Value, Value>([
        ['admin', Buffer.from('Jane <jane@example.org>\n')],
        ['basedir', '/srv/old'],
        ['system', 'posix'],
      ]),
    getCommands: () =>
      new Map<Value, Value>([
        ['shell', '2.15'],
        ['uploadFile', '2.15'],
        ['downloadFile', '2.15'],
      ]),
    getVersion: () => Buffer.from('0.8.5'),
  }
  using worker = startScriptedWorker(host.port, old, (name, command, args) => {
    const report = async () => {
      if (name === 'uploadFile') await (args.get('writer') as RemoteReference).call('write', ['text for bytes'])
      const many = new Map<Value, Value>([
        ['stdout', Buffer.from('out\n')],
        ['header', 'said\n'],
        ['rc', 0],
      ])
      await command.call('update', [[[many, 7]]])
      await command.call('complete', [null])
    }
    report().catch(() => {})
  })
  const connection = await attached(host)
  assert.deepEqual([connection.info.admin, connection.info.version], ['Jane <jane@example.org>', '0.8.5'])
  const { io, text } = collect()
  assert.equal((await connection.run(id, 'full', shell, io)).exitCode, 0)
  assert.equal(text.stdout, 'out\n')
  const received: string[] = []
  const receive = async (_: number, data: Uint8Array) => void received.push(Buffer.from(data).toString())
  await connection.run(id, 'full', { kind: 'upload', path: 'a.txt' }, { ...io, receive })
  assert.deepEqual(received, ['text for bytes'])
  const [first, second] = worker.commands
  assert.equal(first![1].get('usePTY'), 'slave-config')
  assert.equal(first![1].has('sigtermTime'), false)
  assert.equal(second![1].get('slavesrc'), 'a.txt')
})

test('a command that the worker does not know, and one that breaks in it, are told', async () => {
  await using host = await listen()
  const { info } = recorded('pb-shell')
  using _worker = startScriptedWorker(host.port, { getWorkerInfo: () => info }, (name, command) => {
    if (name === 'mkdir') throw new Error('no such command')
    command.call('complete', ['it went wrong']).catch(() => {})
  })
  const connection = await attached(host)
  const { io } = collect()
  const unknown = await connection.run(id, 'full', { kind: 'mkdir', paths: ['a'] }, io)
  assert.equal(unknown.cause, 'error')
  const broken = await connection.run(id, 'full', shell, io)
  assert.deepEqual([broken.cause, broken.error], ['error', 'it went wrong'])
})

test('a broken link ends what runs and what is asked later', async () => {
  await using host = await listen()
  const { info } = recorded('pb-shell')
  const worker = startScriptedWorker(host.port, { getWorkerInfo: () => info }, () => {})
  const connection = await attached(host)
  const running = connection.run(id, 'full', shell, collect().io)
  await connection.ping(new AbortController().signal)
  worker[Symbol.dispose]()
  await assert.rejects(running, { code: 'BOLT_SESSION_LOST' })
  await connection.closed
  await assert.rejects(connection.run(id, 'full', shell, collect().io), { code: 'BOLT_SESSION_LOST' })
  await assert.rejects(connection.ping(new AbortController().signal), { code: 'BOLT_SESSION_LOST' })
})

test('a worker that does not end what it was asked to end is given up', async () => {
  await using host = await listen()
  const { info } = recorded('pb-shell')
  using _worker = startScriptedWorker(host.port, { getWorkerInfo: () => info }, () => {})
  const connection = await attached(host)
  const running = connection.run(id, 'full', shell, collect().io)
  running.catch(() => {}) // looked at below
  await connection.ping(new AbortController().signal)
  connection.interrupt(id, 'enough')
  await host.clock.advance('61s')
  await assert.rejects(running, { code: 'BOLT_SESSION_LOST' })
})

test('a worker that gives no sign of life is given up', async () => {
  await using host = await listen({ keepalive: '5m' })
  const { info } = recorded('pb-shell')
  let mute = false
  const bot = { getWorkerInfo: () => info, print: () => (mute ? (new Promise(() => {}) as never) : null) }
  using _worker = startScriptedWorker(host.port, bot, () => {})
  const connection = await attached(host)
  mute = true
  await host.clock.advance('5m')
  await host.clock.advance('61s')
  assert.match(await until(connection.closed, { what: 'the link to be closed' }), /sign of life/)
})

test('what speaks something else is closed alone, told once, and kept out when it goes on', async () => {
  await using host = await listen()
  const { info } = recorded('pb-shell')
  using worker = startScriptedWorker(host.port, { getWorkerInfo: () => info }, () => {})
  const connection = await attached(host)
  for (let tries = 0; tries < 20; tries++) {
    const { socket, closed } = await connectRaw(host.port)
    socket.write(`GET / HTTP/1.1\r\nHost: ${'x'.repeat(80)}\r\n\r\n`)
    await closed
  }
  const told = host.log.find('warn', 'connection broke the protocol')
  assert.equal(told.length, 20)
  assert.match(String(told[0]!.fields.peer), /^127\.0\.0\.1:\d+$/)
  const { closed } = await connectRaw(host.port)
  await closed // before it said anything
  assert.equal(host.log.find('warn', 'connection broke the protocol').length, 20)
  await connection.ping(new AbortController().signal)
  assert.ok(worker)
})

test('who does not log in is sent away after a while', async () => {
  await using host = await listen()
  const { closed } = await connectRaw(host.port)
  await host.clock.settle()
  await host.clock.advance('31s')
  await closed
})

test('passwords are not tried one after the other: not on one connection, nor on many', async () => {
  await using host = await listen()
  const socket = connect(host.port, '127.0.0.1')
  const broker = createBroker({
    role: 'client',
    send: (bytes) => void socket.write(bytes),
    broken: () => {},
    trouble: () => {},
  })
  socket.on('data', (bytes) => broker.receive(bytes as Buffer)) // no encoding was set
  socket.on('error', () => {})
  socket.on('close', () => broker.lost(new Error('closed')))
  for (let tries = 0; tries < 20; tries++)
    await assert.rejects(logIn(broker, 'bot', `guess ${tries}`), /Unauthorized login/)
  await assert.rejects(logIn(broker, 'bot', 'pass1'), /Unauthorized login/, 'right, and too late')
  assert.equal(host.log.find('warn', 'login refused').length, 21)
  socket.destroy()
  const { closed } = await connectRaw(host.port)
  await closed // not heard at all
  await host.clock.advance('61s')
  const { info } = recorded('pb-shell')
  using _worker = startScriptedWorker(host.port, { getWorkerInfo: () => info }, () => {})
  await attached(host)
})

test('two plugins on one port cannot have the same user', async () => {
  const { pbChangeSource } = await import('boltbot/plugins/changes/pb')
  await using host = await listen()
  await host.run(pbChangeSource({ user: 'change', password: 'x', port: 0 }))
  await assert.rejects(host.run(pbChangeSource({ user: 'change', password: 'y', port: 0 })), {
    code: 'BOLT_PB_USER_TAKEN',
  })
})
