import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { CommandIo } from 'boltbot/plugin-sdk'
import { createTestHost, type TestHost, until } from 'boltbot/plugin-sdk/testing'
import { type AgentsOptions, agents } from 'boltbot/plugins/slaves/websocket'
import { WebSocket } from 'ws'
import type { Packed } from '../../../wire/msgpack/envelope.ts'
import { createPeer, type Peer } from '../../../wire/msgpack/peer.ts'

type Host = TestHost & { readonly port: number }

async function listen(options: Partial<AgentsOptions> = {}): Promise<Host> {
  let port = 0
  const host = createTestHost({ slaves: { bot: 'pass1', other: 'pass2' } })
  await host.run(agents({ port: 0, ...options, onListening: (bound) => void (port = bound) }))
  return Object.assign(host, { port })
}

interface Call {
  readonly op: string
  readonly [field: string]: Packed | undefined
}

interface ScriptedWorker {
  readonly webSocket: WebSocket
  readonly peer: Peer
  /** What the master asked, oldest first. */
  readonly calls: Call[]
}

const open = (port: number, name: string, password: string) =>
  new WebSocket(`ws://127.0.0.1:${port}`, {
    headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
  })

/** A worker whose file commands succeed at once, and whose shell commands run for ever. */
async function startWorker(port: number, name = 'bot', password = 'pass1'): Promise<ScriptedWorker> {
  const webSocket = open(port, name, password)
  const calls: Call[] = []
  const peer = createPeer({
    send: (bytes) => webSocket.send(bytes),
    trouble: () => {},
    handle(message) {
      calls.push(message as Call)
      if (message.op === 'get_worker_info')
        return { basedir: '/srv/bot', system: 'posix', version: '3.7.0', worker_commands: { shell: '3.1' } }
      if (message.op === 'start_command' && message.command_name !== 'shell') {
        const args = [['files', ['full', 'info']] as const, ['rc', 0] as const]
        const { command_id = null } = message
        peer
          .call('update', { command_id, args })
          .then(() => peer.call('complete', { command_id, args: null }))
          .catch(() => {}) // the link is gone
      }
      return null
    },
  })
  webSocket.on('message', (data) => peer.receive(data as Buffer))
  webSocket.on('close', () => peer.lost(new Error('closed')))
  webSocket.on('error', () => {})
  await once(webSocket, 'open')
  return { webSocket, peer, calls }
}

const attached = (host: TestHost, count: number) =>
  until(() => host.attached[count - 1], { what: `attachment ${count}`, seen: () => host.log.text() })

const io: CommandIo = { output: async () => {} }
const shell = { kind: 'shell', command: ['sleep', '600'] } as const
const id = { build: 1, epoch: 1, step: 0, index: 0 }

test('commands that a worker was left with when its link broke are ended before anything else, and once', async () => {
  await using host = await listen()
  const first = await startWorker(host.port)
  const connection = await attached(host, 1)
  await connection.setBuilders([{ name: 'full', directory: 'full' }])
  const running = connection.run(id, 'full', shell, io)
  running.catch(() => {}) // asserted below
  const started = () => first.calls.find(({ command_name }) => command_name === 'shell')
  const { command_id: left } = await until(started, { what: 'the command to be started' })
  first.webSocket.terminate()
  await assert.rejects(running, { code: 'BOLT_SESSION_LOST' })

  const second = await startWorker(host.port)
  await attached(host, 2)
  const names = second.calls.map(({ op }) => op)
  assert.deepEqual(names.slice(0, 4), ['print', 'get_worker_info', 'set_worker_settings', 'interrupt_command'])
  assert.equal(second.calls[3]!.command_id, left)
  await until(() => host.state.size === 0, { what: 'the note to be taken away' })
  second.webSocket.terminate()
  const third = await startWorker(host.port)
  await attached(host, 3)
  assert.ok(!third.calls.some(({ op }) => op === 'interrupt_command'))
})

test('commands that end are not ended again; those of another link have other names', async () => {
  await using host = await listen()
  const first = await startWorker(host.port)
  const connection = await attached(host, 1)
  await connection.setBuilders([{ name: 'full', directory: 'full' }])
  const running = connection.run(id, 'full', shell, io)
  const shells = (worker: ScriptedWorker) => worker.calls.filter(({ command_name }) => command_name === 'shell')
  const [{ command_id }] = (await until(() => shells(first).length > 0 && shells(first), {
    what: 'the command to be started',
  })) as [Call]
  await first.peer.call('update', { command_id: command_id!, args: [['rc', 0]] })
  await first.peer.call('complete', { command_id: command_id!, args: null })
  assert.equal((await running).exitCode, 0)
  first.webSocket.terminate()
  const second = await startWorker(host.port)
  const again = await attached(host, 2)
  await again.setBuilders([{ name: 'full', directory: 'full' }])
  again.run(id, 'full', shell, io).catch(() => {}) // it is left alone
  await until(() => shells(second).length > 0, { what: 'the second command' })
  assert.ok(!second.calls.some(({ op }) => op === 'interrupt_command'))
  assert.notEqual(shells(second)[0]!.command_id, command_id)
  second.webSocket.terminate()
})

test('a worker that speaks nonsense is closed alone, told once with its peer, and kept out when it goes on', async () => {
  await using host = await listen({ loginAttempts: 3 })
  const good = await startWorker(host.port, 'other', 'pass2')
  const connection = await attached(host, 1)
  const nonsense = [
    Buffer.from([0xc1]),
    Buffer.alloc(200, 0x91), // lists in lists
    Buffer.concat([Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(10)]), // four thousand million items
  ]
  for (const [number, bytes] of nonsense.entries()) {
    const bad = await startWorker(host.port)
    const closed = once(bad.webSocket, 'close')
    bad.webSocket.send(bytes)
    bad.webSocket.send(bytes)
    await closed
    const told = host.log.find('warn', 'slave connection broke the protocol')
    assert.equal(told.length, number + 1, host.log.text())
    assert.match(String(told.at(-1)!.fields.peer), /^127\.0\.0\.1:\d+$/)
  }
  const refused = open(host.port, 'bot', 'pass1')
  const [, response] = await once(refused, 'unexpected-response')
  assert.equal(response.statusCode, 429)
  refused.on('error', () => {})
  refused.terminate()
  await connection.ping(new AbortController().signal)
  good.webSocket.terminate()
})
