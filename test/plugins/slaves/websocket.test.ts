import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { CiError, hasCode } from 'boltbot/plugin-sdk'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { WebSocket, WebSocketServer } from 'ws'
import { parsePort } from '../../../plugins/ports/address.ts'
import { encodeMessage } from '../../../wire/agent/codec.ts'
import { makeBasedir, openMaster, PASSWORD, startAgent } from '../../slave/rig.ts'

test('a port may be a number or an endpoint, on loopback unless told otherwise', () => {
  assert.deepEqual(parsePort(9990), { port: 9990, host: '127.0.0.1' })
  assert.deepEqual(parsePort('9990'), { port: 9990, host: '127.0.0.1' })
  assert.deepEqual(parsePort('tcp:9990'), { port: 9990, host: '127.0.0.1' })
  assert.deepEqual(parsePort('tcp:9990:interface=0.0.0.0'), { port: 9990, host: '0.0.0.0' })
  assert.deepEqual(parsePort('tcp:9990:interface=\\:\\:1'), { port: 9990, host: '::1' })
  for (const wrong of [
    -1,
    1.5,
    65536,
    '',
    'udp:1',
    'tcp:',
    'tcp:x',
    'tcp:70000',
    'tcp:1:backlog=5',
    'tcp:1:interface=',
  ])
    assert.equal(parsePort(wrong), undefined, String(wrong))
})

test('wrong options are told each with its place', () => {
  const host = createTestHost()
  assert.throws(
    () => host.apply(agents({ port: 'tcp:x', tls: { certFile: '' }, loginTimeout: 'soon' } as never)),
    /Give a port, as 9990.*Give the path of a PEM file.*Give seconds, or text such as "10s"/,
  )
})

test('a taken port is told in one sentence', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { readonly port: number }
  await using host = createTestHost()
  await assert.rejects(host.run(agents({ port })), (error) => {
    assert.ok(hasCode(error, 'BOLT_AGENTS_PORT_TAKEN'))
    assert.equal(error.message, `The port 127.0.0.1:${port} for slaves is taken by another program.`)
    return true
  })
  taken.close()
})

test('a wrong password is refused at both ends in words, and tried again', async () => {
  await using master = await openMaster({}, { bot: 'another' })
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = startAgent(basedir.path)
  const refused = () => master.log.find('warn', 'slave login refused')
  await until(() => refused().length >= 2, { what: 'a second try', seen: () => master.log.text() })
  assert.equal(refused()[0]!.fields.reason, 'The password of slave "bot" is wrong.')
  assert.match(String(refused()[0]!.fields.peer), /^127\.0\.0\.1:\d+$/)
  const told = agent.log.find('warn', 'no link to the master')
  assert.equal(told.length, 1, 'the same reason is logged once')
  assert.match(String(told[0]!.fields.reason), /does not know this name, or the password is wrong/)
  assert.deepEqual(master.test.attached, [])
})

test('an unknown slave is refused, and only the master says which it was', async () => {
  await using master = await openMaster({}, { other: PASSWORD } as never)
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = startAgent(basedir.path)
  await until(() => master.log.find('warn', 'slave login refused').length > 0, { what: 'the refusal' })
  assert.equal(master.log.find('warn')[0]!.fields.reason, 'The slave "bot" may not log in here.')
  const told = await until(() => agent.log.find('warn')[0], { what: 'the agent to be told' })
  assert.match(String(told.fields.reason), /does not know this name, or the password is wrong/)
})

test('after too many failed logins an address is turned away', async () => {
  await using master = await openMaster({ loginAttempts: 2 }, { bot: 'another' })
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = startAgent(basedir.path)
  const last = () => String(agent.log.find('warn').at(-1)?.fields.reason)
  await until(() => last().includes('429'), { what: 'a refused connection', seen: last })
  assert.equal(master.log.find('warn', 'slave login refused').length, 2)
})

test('a master that does not know the password gets nothing', async () => {
  // It accepts any proof, and cannot make its own.
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  using stack = new DisposableStack()
  stack.defer(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  const heard: string[] = []
  server.on('connection', (socket) => {
    socket.once('message', () => {
      socket.send(encodeMessage({ t: 'challenge', version: 2, nonce: new Uint8Array(32) }))
      socket.once('message', () => socket.send(encodeMessage({ t: 'welcome', proof: new Uint8Array(32) })))
    })
    socket.on('message', (data) => heard.push(String(data)))
  })
  using basedir = makeBasedir(`ws://127.0.0.1:${(server.address() as { readonly port: number }).port}`)
  await using agent = startAgent(basedir.path)
  const told = await until(() => agent.log.find('warn')[0], { what: 'the refusal' })
  assert.match(String(told.fields.reason), /master does not know the password/)
  assert.equal(
    heard.some((text) => text.includes('ready')),
    false,
  )
  for (const client of server.clients) client.terminate()
  server.close()
})

test('a refused attachment is told to the agent, and it comes again', async () => {
  const duplicate = new CiError({ code: 'BOLT_SLAVES_DUPLICATE', message: 'The slave "bot" is already connected.' })
  await using master = await openMaster({})
  let refusals = 0
  const slaves = master.test.host.slaves as { attach: unknown }
  slaves.attach = async () => {
    refusals++
    throw duplicate
  }
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = startAgent(basedir.path)
  const told = await until(() => agent.log.find('warn')[0], { what: 'the refusal' })
  assert.equal(told.fields.reason, duplicate.message)
  await until(() => refusals >= 2, { what: 'a second try' })
})

test('a slave with a hole in its clothes harms nobody: garbage, giant headers, giant frames, wrong order', async () => {
  await using master = await openMaster({ loginTimeout: '2s' })
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using _agent = startAgent(basedir.path)
  const good = await master.next()

  // Bytes that are no HTTP at all.
  const garbage = await rawClient(master.port)
  garbage.write(Buffer.from([0, 255, 1, 254, 10, 10, 10]))
  await ended(garbage, 'the garbage connection to be closed')

  // A header that never ends: a gigabyte is announced, what comes is cut off early.
  const header = await rawClient(master.port)
  header.write('GET / HTTP/1.1\r\nHost: x\r\nX-Long: ')
  const piece = 'x'.repeat(64 * 1024)
  let sent = 0
  header.on('error', () => {})
  while (!header.destroyed && sent < 1e9) {
    sent += piece.length
    if (!header.write(piece)) await Promise.race([once(header, 'drain'), once(header, 'close')]).catch(() => {})
  }
  assert.ok(sent < 50e6, `${sent} bytes of a header were taken`)

  // A frame whose header says that a gigabyte follows.
  const frame = await webSocket(master.port)
  const raw = (frame as unknown as { _socket: Socket })._socket // there is no public way to send a broken frame
  raw.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]))
  await closed(frame)

  // Messages that are none, or out of turn.
  for (const bytes of [
    Buffer.from([0xc1]),
    Buffer.alloc(100_000, 0x91),
    Buffer.from('text'),
    Buffer.from(encodeMessage({ t: 'proof', proof: new Uint8Array(32) })),
    Buffer.from(encodeMessage({ t: 'hello', version: 99, name: 'bot', nonce: new Uint8Array(32) })),
  ]) {
    const socket = await webSocket(master.port)
    socket.send(bytes)
    await closed(socket)
  }

  // Silence.
  const silent = await webSocket(master.port)
  await closed(silent)

  await good.ping(AbortSignal.timeout(5000))
  const warnings = master.log.find('warn')
  assert.equal(warnings.length, 9, master.log.text())
  assert.deepEqual(master.log.find('error'), [])
  for (const line of warnings) assert.match(String(line.fields.peer), /^127\.0\.0\.1:\d+$/)
})

test('others than agents are told what this port is for', async () => {
  await using master = await openMaster()
  const page = await fetch(`http://127.0.0.1:${master.port}/`)
  assert.equal(page.status, 426)
  assert.match(await page.text(), /slaves of Boltbot/)
  const other = new WebSocket(`ws://127.0.0.1:${master.port}`)
  const [error] = (await once(other, 'error')) as [Error]
  assert.match(error.message, /400/)
})

test('a link goes over TLS, and a master with an unknown certificate is not trusted', async () => {
  using files = makeBasedir('ws://127.0.0.1:1')
  const certFile = join(files.path, 'cert.pem')
  const keyFile = join(files.path, 'key.pem')
  const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', keyFile, '-out', certFile]
  execFileSync('openssl', [...words.split(' '), ...names], { stdio: 'ignore' })
  await using master = await openMaster({ tls: { certFile, keyFile } })
  {
    using basedir = makeBasedir(`wss://127.0.0.1:${master.port}`, { ca: certFile })
    await using _agent = startAgent(basedir.path)
    const connection = await master.next()
    await connection.ping(AbortSignal.timeout(5000))
  }
  using basedir = makeBasedir(`wss://127.0.0.1:${master.port}`)
  await using agent = startAgent(basedir.path)
  const told = await until(() => agent.log.find('warn')[0], { what: 'the refusal' })
  assert.match(String(told.fields.reason), /self-signed certificate/)
})

test('a certificate that cannot be read is told with its file', async () => {
  using files = makeBasedir('ws://127.0.0.1:1')
  writeFileSync(join(files.path, 'bad.pem'), 'no certificate')
  const missing = join(files.path, 'none.pem')
  await using host = createTestHost()
  const tls = { certFile: missing, keyFile: missing }
  await assert.rejects(host.run(agents({ port: 0, tls })), (error) => hasCode(error, 'BOLT_AGENTS_CERTIFICATE'))
  const bad = join(files.path, 'bad.pem')
  await using other = createTestHost()
  const wrong = agents({ port: 0, tls: { certFile: bad, keyFile: bad } })
  await assert.rejects(other.run(wrong), (error) => hasCode(error, 'BOLT_AGENTS_CERTIFICATE'))
})

test('when the plugin stops the agents are told why, and dial again', async () => {
  const master = await openMaster()
  using basedir = makeBasedir(`ws://127.0.0.1:${master.port}`)
  await using agent = startAgent(basedir.path)
  const connection = await master.next()
  await until(
    master.test.stop().then(() => true),
    { what: 'the plugin to stop' },
  )
  assert.equal(await connection.closed, 'the master stops')
  const told = await until(() => agent.log.find('warn')[0], { what: 'the agent to notice' })
  assert.equal(told.fields.reason, 'the master stops')
})

async function rawClient(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

async function ended(socket: Socket, what: string): Promise<void> {
  socket.resume()
  await until(once(socket, 'close'), { what })
}

async function webSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'boltbot.agent')
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

async function closed(socket: WebSocket): Promise<void> {
  await until(once(socket, 'close'), { what: 'the WebSocket to be closed' })
}
