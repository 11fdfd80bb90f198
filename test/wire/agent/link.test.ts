import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock, type FakeClock } from 'boltbot/plugin-sdk/testing'
import { type AgentLink, createAgentLink } from '../../../wire/agent/agent-link.ts'
import { decodeAgentMessage, decodeMasterMessage, encodeMessage } from '../../../wire/agent/codec.ts'
import type { Connection } from '../../../wire/agent/connection.ts'
import { createMasterLink, type LinkProblem, type MasterLink } from '../../../wire/agent/master-link.ts'
import { type MasterMessage, PROTOCOL_VERSION } from '../../../wire/agent/messages.ts'

test('both ends prove themselves, then the connection is handed over', async () => {
  const pair = connect({})
  await pair.clock.settle()
  assert.equal(pair.connections.length, 1)
  assert.equal(pair.connections[0]!.slave, 'bot')
  assert.equal(pair.connections[0]!.info.admin, 'jane')
  assert.ok(pair.agent.attached)
  assert.deepEqual(pair.problems, [])
})

test('an agent of the version before is taken; of others, both ends are told who is too old', async () => {
  const before = connect({ agentVersion: PROTOCOL_VERSION - 1 })
  await before.clock.settle()
  assert.deepEqual([before.problems, before.connections.length], [[], 1])

  const newer = connect({ agentVersion: PROTOCOL_VERSION + 1 })
  await newer.clock.settle()
  const [problem] = newer.problems
  assert.equal(problem?.kind, 'version')
  assert.match(problem.reason, /^This master is too old for the slave "bot" \(.*\): upgrade the master\.$/)
  assert.deepEqual(newer.agentClosed, [problem.reason])

  const old = connect({ agentVersion: 0 })
  await old.clock.settle()
  assert.match(old.problems[0]!.reason, /^The slave "bot" is too old for this master /)
  assert.deepEqual(old.agentClosed, [old.problems[0]!.reason])

  const careless = connect({ masterVersion: 1 })
  await careless.clock.settle()
  assert.match(careless.agentClosed[0]!, /^The master is too old for this slave /)
})

test('a login that is not finished in time is closed', async () => {
  const pair = connect({ silent: true })
  await pair.clock.advance('10s')
  assert.deepEqual(pair.problems, [{ kind: 'login', name: undefined, reason: 'It did not log in within 10 s.' }])
})

test('an agent that gives no sign of life any more is lost', async () => {
  const pair = connect({ keepalive: 60_000 })
  await pair.clock.settle()
  const [connection] = pair.connections
  pair.mute()
  await pair.clock.advance('5m')
  assert.equal(await connection!.closed, 'nothing was heard of it for 150 s')
  await assert.rejects(connection!.ping(AbortSignal.timeout(1)), /lost/)
})

test('signs of life keep a quiet link for days', async () => {
  const pair = connect({ keepalive: 60_000 })
  await pair.clock.settle()
  await pair.clock.advance('2d')
  assert.ok(pair.agent.attached)
  await pair.connections[0]!.ping(new AbortController().signal)
})

test('an agent whose master is silent gives the link up', async () => {
  const pair = connect({ keepalive: 60_000 })
  await pair.clock.settle()
  pair.mute()
  await pair.clock.advance('91s')
  assert.deepEqual(pair.agentClosed, ['the master does not answer'])
})

test('an agent that does not answer a request is given up, though it is heard of', async () => {
  const pair = connect({ keepalive: 1000 })
  await pair.clock.settle()
  const [connection] = pair.connections
  const asked = connection!.setBuilders([]) // nobody answers in this test
  const lost = assert.rejects(asked, /gave no answer within 30 s/)
  await pair.clock.advance('31s')
  await lost
})

test('calls under way reject when the link is gone, after what is in hand is stored', async () => {
  const pair = connect({})
  await pair.clock.settle()
  const [connection] = pair.connections
  const id = { build: 1, epoch: 1, step: 0, index: 0 }
  const storing = Promise.withResolvers<void>()
  const stored: number[] = []
  const call = connection!.run(
    id,
    'full',
    { kind: 'shell', command: 'x' },
    {
      async output(_log, _stream, offset) {
        stored.push(offset)
        await storing.promise
      },
    },
  )
  let rejected = false
  call.catch(() => (rejected = true))
  const output = { t: 'output', id, log: 'stdio', stream: 'stdout', data: new Uint8Array(10) } as const
  pair.agent.send({ ...output, offset: 0 })
  pair.agent.send({ ...output, offset: 10 })
  await pair.clock.settle()
  pair.master.dropped('the cable was cut')
  await pair.clock.settle()
  assert.equal(rejected, false)
  storing.resolve()
  await assert.rejects(call, /the cable was cut/)
  assert.deepEqual(stored, [0], 'what was not begun is left to the next link')
})

test('an acknowledgement goes with the next message, after a moment, or at once when much is unacknowledged', async () => {
  const pair = connect({})
  await pair.clock.settle()
  const [connection] = pair.connections
  const id = { build: 1, epoch: 1, step: 0, index: 0 }
  void connection!.run(id, 'full', { kind: 'shell', command: 'x' }, { output: async () => {} })
  const output = (offset: number, length: number) =>
    pair.agent.send({ t: 'output', id, log: 'stdio', stream: 'stdout', offset, data: new Uint8Array(length) })
  const since = pair.taken.length + 1
  const said = () => pair.taken.slice(since).map((message) => ('offset' in message ? message.offset : message.t))
  output(0, 10)
  await pair.clock.settle()
  assert.deepEqual(said(), [])
  connection!.interrupt(id, 'enough')
  await pair.clock.settle()
  assert.deepEqual(said(), [10, 'interrupt'])
  output(10, 10)
  await pair.clock.advance(100)
  assert.deepEqual(said(), [10, 'interrupt', 20])
  output(20, 300_000)
  await pair.clock.settle()
  assert.deepEqual(said(), [10, 'interrupt', 20, 300_020])
})

test('a command too large for a message fails alone', async () => {
  const pair = connect({})
  await pair.clock.settle()
  const [connection] = pair.connections
  const id = { build: 1, epoch: 1, step: 0, index: 0 }
  const command = { kind: 'shell', command: 'x'.repeat(2_000_000) } as const
  await assert.rejects(connection!.run(id, 'full', command, { output: async () => {} }), /the limit is/)
  assert.ok(pair.agent.attached)
})

interface Pair {
  readonly clock: FakeClock
  readonly master: MasterLink
  readonly agent: AgentLink
  readonly connections: Connection[]
  readonly problems: LinkProblem[]
  readonly agentClosed: string[]
  readonly taken: MasterMessage[]
  /** From now on nothing arrives at either end. */
  mute(): void
}

/** Both ends on one fake clock, joined by promises. */
function connect({
  silent = false,
  keepalive = 0,
  agentVersion = PROTOCOL_VERSION,
  masterVersion = agentVersion,
}: {
  silent?: boolean
  keepalive?: number
  agentVersion?: number
  masterVersion?: number
}): Pair {
  const clock = createFakeClock()
  const connections: Connection[] = []
  const problems: LinkProblem[] = []
  const agentClosed: string[] = []
  const taken: MasterMessage[] = []
  let muted = silent
  /** The agent as of another version, so that the master answers it as such. */
  const asAgent = (bytes: Uint8Array) => {
    const message = decodeAgentMessage(bytes)
    return message.t === 'hello' ? encodeMessage({ ...message, version: agentVersion }) : bytes
  }
  const asMaster = (bytes: Uint8Array) => {
    const message = decodeMasterMessage(bytes)
    if (message.t !== 'challenge') return bytes
    const isOld = masterVersion !== agentVersion
    return encodeMessage({ ...message, version: isOld ? masterVersion : PROTOCOL_VERSION })
  }
  const deliver = (to: () => { receive(bytes: Uint8Array): void }) => (bytes: Uint8Array) => {
    if (!muted) queueMicrotask(() => to().receive(bytes))
  }
  const master: MasterLink = createMasterLink({
    socket: { send: (bytes) => deliver(() => agent)(asMaster(bytes)), close: () => {} },
    peer: 'test',
    clock,
    errors: {
      lost: (slave, reason) => new Error(`slave ${slave} lost: ${reason}`),
      notHeld: () => new Error('not held'),
      refused: (_, reason) => new Error(reason),
    },
    loginTimeout: 10_000,
    password: () => 'secret',
    attach: async (connection) => void connections.push(connection),
    refused: (problem) => problems.push(problem),
  })
  const agent: AgentLink = createAgentLink({
    socket: { send: (bytes) => deliver(() => master)(asAgent(bytes)), close: () => {} },
    clock,
    name: 'bot',
    password: 'secret',
    keepalive,
    patience: 30_000,
    ready: () => ({ admin: 'jane', host: null, program: null, held: [] }),
    opened: () => {},
    take: (message) => taken.push(message),
    closed: (reason) => agentClosed.push(reason),
  })
  return { clock, master, agent, connections, problems, agentClosed, taken, mute: () => (muted = true) }
}
