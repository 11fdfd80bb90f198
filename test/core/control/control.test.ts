import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { LogPart } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { callMaster } from '../../../core/cli/control-client.ts'
import { createControlMethods } from '../../../core/control/methods.ts'
import { MAX_LINE } from '../../../core/control/protocol.ts'
import { type ControlMethod, startControl } from '../../../core/control/server.ts'
import { findSocketPath } from '../../../core/control/socket-path.ts'
import type { Master } from '../../../core/master-api.ts'
import { CiError } from '../../../plugin-sdk/errors.ts'

async function createFolder(name = '') {
  const path = await mkdtemp(join(tmpdir(), 'boltbot-test-'))
  const basedir = join(path, name)
  mkdirSync(basedir, { recursive: true })
  return { basedir, path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

const serve = (basedir: string, methods: Record<string, ControlMethod>, maxConnections = 32) =>
  startControl({
    basedir,
    platform: process.platform,
    runtimeDir: tmpdir(),
    methods,
    log: createMemoryLog(),
    maxConnections,
  })

test('a command is answered with its result, on a socket for its owner only', async () => {
  await using folder = await createFolder()
  await using server = await serve(folder.basedir, { double: async ({ n }) => ({ n: Number(n) * 2 }) })
  assert.equal(server.path, join(folder.basedir, 'control.sock'))
  assert.equal(statSync(server.path).mode & 0o777, 0o600)
  assert.deepEqual(await callMaster(folder.basedir, 'double', { n: 21 }), { n: 42 })
})

test('items come one after the other, then the result', async () => {
  await using folder = await createFolder()
  await using _server = await serve(folder.basedir, {
    async *count() {
      for (let i = 0; i < 1000; i++) yield { i, pad: 'x'.repeat(1000) }
    },
  })
  const items: unknown[] = []
  assert.equal(await callMaster(folder.basedir, 'count', {}, (item) => items.push(item)), null)
  assert.equal(items.length, 1000)
})

test('an error keeps its code, message and hint', async () => {
  await using folder = await createFolder()
  await using _server = await serve(folder.basedir, {
    fail: async () => Promise.reject(new CiError({ code: 'BOLT_X', message: 'No.', hint: 'Yes.' })),
    crash: async () => Promise.reject(new TypeError('inside')),
  })
  await assert.rejects(callMaster(folder.basedir, 'fail', {}), { code: 'BOLT_X', message: 'No.', hint: 'Yes.' })
  await assert.rejects(callMaster(folder.basedir, 'crash', {}), { code: 'BOLT_CONTROL_FAILED', message: /inside/ })
  await assert.rejects(callMaster(folder.basedir, 'fial', {}), {
    code: 'BOLT_CONTROL_METHOD',
    hint: /Did you mean "fail"/,
  })
  await assert.rejects(callMaster(folder.basedir, 'toString', {}), { code: 'BOLT_CONTROL_METHOD' })
})

test('without a master the command says where none runs', async () => {
  await using folder = await createFolder()
  await assert.rejects(callMaster(folder.basedir, 'info', {}), { code: 'BOLT_CONTROL_UNREACHABLE' })
})

test('a second master in the same base directory is refused, a dead socket is not', async () => {
  await using folder = await createFolder()
  {
    await using _server = await serve(folder.basedir, {})
    await assert.rejects(serve(folder.basedir, {}), { code: 'BOLT_CONTROL_TAKEN' })
  }
  assert.equal(existsSync(findSocketPath(folder.basedir, process.platform)), false)
  writeFileSync(join(folder.basedir, 'control.sock'), '')
  await using _again = await serve(folder.basedir, { ok: async () => 1 })
  assert.equal(await callMaster(folder.basedir, 'ok', {}), 1)
})

test('a base directory with a path too long for a socket still has one', async () => {
  await using folder = await createFolder('long/'.repeat(30))
  {
    await using server = await serve(folder.basedir, { ok: async () => 'here' })
    assert.ok(server.path.length < 104)
    assert.equal(await callMaster(folder.basedir, 'ok', {}), 'here')
  }
  assert.equal(existsSync(join(folder.basedir, 'control.path')), false)
})

test('a base directory that cannot be written to is one sentence', {
  skip: process.getuid?.() === 0 && 'root may write everywhere',
}, async () => {
  await using folder = await createFolder()
  chmodSync(folder.basedir, 0o500)
  await assert.rejects(serve(folder.basedir, {}), { code: 'BOLT_CONTROL_LISTEN' })
  chmodSync(folder.basedir, 0o700)
})

/** What the server says to raw bytes before it closes. */
async function rawAnswer(path: string, bytes: string): Promise<string> {
  const socket = connect(path)
  await once(socket, 'connect')
  socket.end(bytes)
  return text(socket)
}

test('bytes that are no messages are answered and cost nobody else anything', async () => {
  await using folder = await createFolder()
  await using server = await serve(folder.basedir, { ok: async () => 1 })
  assert.match(await rawAnswer(server.path, 'hello\n'), /"BOLT_CONTROL_MESSAGE".*not JSON/)
  assert.match(await rawAnswer(server.path, '[1]\n'), /no id or no method/)
  assert.match(await rawAnswer(server.path, 'x'.repeat(MAX_LINE + 10)), /is longer than/)
  assert.equal(await callMaster(folder.basedir, 'ok', {}), 1)
})

test('connections beyond the limit are told so', async () => {
  await using folder = await createFolder()
  await using server = await serve(folder.basedir, { ok: async () => 1 }, 1)
  const first = connect(server.path)
  first.write('{"id":1,"method":"ok"}\n')
  await once(first, 'data')
  await assert.rejects(callMaster(folder.basedir, 'ok', {}), { code: 'BOLT_CONTROL_BUSY' })
  first.destroy()
})

test('a log is followed until its step is done, and bytes come whole', async () => {
  await using folder = await createFolder()
  const clock = createFakeClock()
  const data = Buffer.from([0x68, 0xc3, 0xa9, 0xff, 0x0a])
  const parts: LogPart[] = [
    { pieces: [{ offset: 0, stream: 'stdout', data: data.subarray(0, 2) }], next: 2, finished: false },
    { pieces: [], next: 2, finished: false },
    { pieces: [{ offset: 2, stream: 'stderr', data: data.subarray(2) }], next: 5, finished: false },
    { pieces: [], next: 5, finished: true },
  ]
  const asked: number[] = []
  const build = { id: 7, builder: 'full', number: 3, steps: [{ number: 0, name: 'compile' }] }
  const master = {
    query: {
      build: async () => undefined,
      buildByNumber: async (name: string, number: number) => (name === 'a/b' && number === 3 ? build : undefined),
    },
    readLog: async (_place: unknown, from: number) => {
      asked.push(from)
      return parts[asked.length - 1]!
    },
  } as unknown as Master // only what the log command asks
  const [reconfigure, plan] = [async () => [], async () => null]
  const methods = createControlMethods({ master, clock, reconfigure, plan, shutDown: () => {} })
  await using _server = await serve(folder.basedir, methods)
  const items: { stream: string; data: string }[] = []
  const done = callMaster(folder.basedir, 'log', { build: 'a/b/3', step: 'compile', follow: true }, (item) =>
    items.push(item as (typeof items)[number]),
  )
  const waited = (async () => {
    for (;;) {
      if (clock.pending().length > 0) return clock.advance(100)
      await new Promise(setImmediate)
    }
  })()
  await Promise.all([done, waited])
  assert.deepEqual(asked, [0, 2, 2, 5])
  assert.deepEqual(
    items.map(({ stream, data }) => [stream, [...Buffer.from(data, 'base64')]]),
    [
      ['stdout', [0x68, 0xc3]],
      ['stderr', [0xa9, 0xff, 0x0a]],
    ],
  )
  await assert.rejects(callMaster(folder.basedir, 'log', { build: 'a/b/4', step: '0' }), { code: 'BOLT_CONTROL_BUILD' })
  await assert.rejects(callMaster(folder.basedir, 'log', { build: 'a/b/3', step: 'test' }), {
    code: 'BOLT_CONTROL_STEP',
    hint: 'Its steps: "compile".',
  })
})

for (const [results, chosen] of [
  [['success', 'failure', 'exception', 'skipped'], 1],
  [['success', 'warnings', 'skipped'], 1],
  [['success', null], 1],
] as const)
  test(`without a step, the log of steps that ended ${results} is that of step ${chosen}, which is said`, async () => {
    await using folder = await createFolder()
    const steps = results.map((result, number) => ({ number, name: `step ${number}`, result }))
    const read: unknown[] = []
    const master = {
      query: { buildByNumber: async () => ({ id: 7, builder: 'full', number: 3, steps }) },
      async readLog({ step }: { step: number }): Promise<LogPart> {
        read.push(step)
        return { pieces: [], next: 0, finished: true }
      },
    } as unknown as Master // only what the log command asks
    const clock = createFakeClock()
    const [reconfigure, plan] = [async () => [], async () => null]
    const methods = createControlMethods({ master, clock, reconfigure, plan, shutDown: () => {} })
    await using _server = await serve(folder.basedir, methods)
    const items: unknown[] = []
    await callMaster(folder.basedir, 'log', { build: 'full/3' }, (item) => items.push(item))
    assert.deepEqual(items, [{ step: `step ${chosen}`, result: results[chosen] }])
    assert.deepEqual(read, [chosen])
  })
