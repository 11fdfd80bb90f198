import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@msgpack/msgpack'
import type { Command, CommandId, CommandResult, SlaveConnection } from 'boltbot/plugin-sdk'
import fc from 'fast-check'
import { decodeAgentMessage, decodeMasterMessage, encodeMessage } from '../../../wire/agent/codec.ts'
import { commandProblem } from '../../../wire/agent/command-shape.ts'
import type * as connection from '../../../wire/agent/connection.ts'
import { MAX_DEPTH, MAX_MESSAGE } from '../../../wire/agent/limits.ts'
import type * as wire from '../../../wire/agent/messages.ts'
import { scan } from '../../../wire/msgpack/scan.ts'
import { ProtocolError } from '../../../wire/protocol-error.ts'

const whole = fc.nat(2 ** 40)
const id = fc.record({ build: whole, epoch: whole, step: whole, index: whole })
const bytes = fc.uint8Array({ maxLength: 2000 })
const nonce = fc.uint8Array({ minLength: 32, maxLength: 32 })
const text = fc.string({ unit: 'grapheme', maxLength: 100 })
const stream = fc.constantFrom('stdout', 'stderr', 'header')
const is = <T extends string>(t: T) => fc.constant(t)

const agentMessage = fc.oneof(
  fc.record({ t: is('hello'), version: whole, name: text, nonce }),
  fc.record({ t: is('proof'), proof: nonce }),
  fc.record({
    t: is('ready'),
    admin: fc.option(text),
    host: fc.option(text),
    program: fc.option(text),
    keepalive: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
    held: fc.array(fc.record({ id, running: fc.boolean() })),
  }),
  fc.record({ t: is('done'), request: whole, error: fc.option(text) }),
  fc.record({ t: is('output'), id, log: text, stream, offset: whole, data: bytes }),
  fc.record({ t: is('upload'), id, offset: whole, data: bytes }),
  fc.record({ t: is('want'), id, offset: whole, length: whole }),
  fc.record({
    t: is('result'),
    id,
    result: fc.record({
      exitCode: fc.option(fc.integer()),
      signal: fc.option(text),
      cause: fc.constantFrom('exit', 'timeout', 'maxTime', 'interrupted', 'error'),
      error: fc.option(text),
      elapsed: fc.nat(),
      data: fc.constantFrom(null, ['a', 'b'], { type: 'file', size: 5, mtime: 1 }),
    }),
  }),
  fc.record({ t: fc.constantFrom('ping', 'pong'), n: whole }),
  fc.record({ t: is('bye'), reason: text }),
)

const masterMessage = fc.oneof(
  fc.record({ t: is('challenge'), version: whole, nonce }),
  fc.record({ t: is('builders'), request: whole, builders: fc.array(fc.record({ name: text, directory: text })) }),
  fc.record({
    t: is('run'),
    id,
    builder: text,
    command: fc.record({
      kind: is('shell'),
      command: fc.oneof(text, fc.array(text, { minLength: 1 })),
      env: fc.dictionary(
        text.filter((name) => name !== '__proto__'),
        fc.option(text),
      ),
      timeout: fc.option(whole),
    }),
  }),
  fc.record({ t: is('resume'), id, offsets: fc.record({ stdio: whole }) }),
  fc.record({ t: fc.constantFrom('forget'), id }),
  fc.record({ t: is('ack'), id, log: text, offset: whole }),
  fc.record({ t: is('bytes'), id, offset: whole, data: bytes }),
)

test('every message comes out as it went in', () => {
  fc.assert(
    fc.property(agentMessage, (message) => {
      assert.deepEqual(plain(decodeAgentMessage(encodeMessage(message as never))), plain(message))
    }),
  )
  fc.assert(
    fc.property(masterMessage, (message) => {
      assert.deepEqual(plain(decodeMasterMessage(encodeMessage(message as never))), plain(message))
    }),
  )
})

test('no bytes do more than throw a protocol error', () => {
  const tryAll = (data: Uint8Array) => {
    for (const decode of [decodeAgentMessage, decodeMasterMessage])
      try {
        decode(data)
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error))
      }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), tryAll), { numRuns: 2000 })
  // Good messages with a few bytes changed, cut off or added.
  fc.assert(
    fc.property(
      agentMessage,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.nat(),
      (message, flips, cut) => {
        const data = encodeMessage(message as never)
        for (const [at, value] of flips) data[at % data.length] = value
        tryAll(data)
        tryAll(data.subarray(0, cut % data.length))
        tryAll(new Uint8Array([...data, 0]))
      },
    ),
    { numRuns: 1000 },
  )
})

test('the scan finds the same values whole as the encoder makes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
      const data = encode(value)
      scan(data, 100)
      if (data.length > 1) assert.throws(() => scan(data.subarray(0, -1), 100), ProtocolError)
      assert.throws(() => scan(new Uint8Array([...data, 1]), 100), ProtocolError)
    }),
  )
  for (const value of [
    2 ** 40,
    -(2 ** 40),
    1.5,
    -1,
    -33,
    -200,
    -40_000,
    'x'.repeat(70_000),
    new Uint8Array(70_000),
    2 ** 20,
  ])
    scan(encode(value), 1)
})

test('nesting is limited before anything is decoded', () => {
  const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.from([0xc0])])
  scan(nested(MAX_DEPTH), MAX_DEPTH)
  assert.throws(() => scan(nested(MAX_DEPTH + 1), MAX_DEPTH), /nested more than 32 deep/)
  assert.throws(() => decodeAgentMessage(nested(100_000)), /nested more than 32 deep/)
  const maps = Buffer.concat([Buffer.from(Array(100_000).fill([0x81, 0xa1, 0x61]).flat()), Buffer.from([0xc0])])
  assert.throws(() => decodeAgentMessage(maps), /nested more than 32 deep/)
})

test('sizes that the bytes cannot hold are refused at once', () => {
  for (const head of [
    [0xdd, 255, 255, 255, 255],
    [0xdf, 255, 255, 255, 255],
    [0xc6, 64, 0, 0, 0],
    [0xdb, 64, 0, 0, 0],
    [0xdc, 9, 9],
  ])
    assert.throws(() => scan(Buffer.from(head), 32), /ends too early/)
  for (const head of [0xc1, 0xc7, 0xd4, 0xd8])
    assert.throws(() => scan(Buffer.from([head, 1, 2, 3]), 32), /unsupported type/)
})

test('messages have a size limit, in and out', () => {
  const data = new Uint8Array(MAX_MESSAGE)
  assert.throws(() => decodeAgentMessage(new Uint8Array(MAX_MESSAGE + 1)), /the limit is/)
  const big = { t: 'upload', id: { build: 0, epoch: 0, step: 0, index: 0 }, offset: 0, data } as const
  assert.throws(() => encodeMessage(big), /the limit is/)
})

test('unknown types, missing and wrong fields are named', () => {
  const reading = (value: unknown) => () => decodeAgentMessage(encode(value))
  assert.throws(reading({ t: 'nonsense' }), /message type "nonsense" is unknown/)
  assert.throws(reading({ t: 'constructor' }), /unknown/)
  assert.throws(reading([]), /not a map with a type/)
  assert.throws(reading({ t: 'ping' }), /message "ping" needs a whole number as "n"/)
  assert.throws(reading({ t: 'ping', n: -1 }), /needs/)
  assert.throws(reading({ t: 'proof', proof: new Uint8Array(31) }), /needs 32 bytes as "proof"/)
  assert.throws(reading({ t: 'run', id: 1 }), /unknown/, 'what a master says is not for an agent to say')
})

test('a key named __proto__ changes nothing', () => {
  const key = Buffer.from('__proto__')
  const evil = Buffer.concat([
    Buffer.from([0x82, 0xa1, 0x74, 0xa4]),
    Buffer.from('ping'),
    Buffer.from([0xa0 + key.length]),
    key,
    Buffer.from([0x81, 0xa1, 0x6e, 0x01]),
  ])
  assert.throws(() => decodeAgentMessage(evil), ProtocolError)
  assert.equal(({} as { n?: number }).n, undefined)
})

test('a bad command is described, a good one is not', () => {
  const problem = (command: unknown) => commandProblem(command as Command)
  assert.equal(problem({ kind: 'shell', command: ['make'] }), undefined)
  assert.equal(problem({ kind: 'shell', command: 'make', env: { A: null }, timeout: null, workdir: null }), undefined)
  assert.equal(problem({ kind: 'download', path: 'x', mode: 0o644 }), undefined)
  assert.match(
    problem({ kind: 'shell', command: ['a\0b'] }) ?? '',
    /needs text without NUL or a list of words as "command"/,
  )
  assert.match(problem({ kind: 'mkdir', paths: 'x' }) ?? '', /needs a list/)
  assert.match(problem({ kind: 'toString' }) ?? '', /does not know/)
})

test('the types of the SDK fit those of the wire', () => {
  // Checked by the compiler; at run time there is nothing to do.
  const command = (value: Command): wire.Command => value
  const result = (value: CommandResult): wire.CommandResult => value
  const resultBack = (value: wire.CommandResult): CommandResult => value
  const commandId = (value: CommandId): wire.CommandId => value
  const link = (value: connection.Connection): SlaveConnection => value
  for (const same of [command, result, resultBack, commandId, link]) assert.equal(typeof same, 'function')
})

/** Typed arrays of any kind as plain ones, so that they compare. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]))
}
