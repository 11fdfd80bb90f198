import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommandId, CommandIo, ShellCommandSpec, Stream } from 'boltbot/plugin-sdk'
import { createFakeClock, createScriptedSlave, until } from 'boltbot/plugin-sdk/testing'

const id: CommandId = { build: 1, epoch: 1, step: 0, index: 0 }
const shell = (command: string): ShellCommandSpec => ({ kind: 'shell', command })

test('a command without an answer ends well and in silence', async () => {
  const bot = createScriptedSlave({ name: 'bot' })
  const io = recorder()
  const result = await bot.connect().run(id, 'full', shell('make'), io)
  assert.deepEqual(result, { exitCode: 0, signal: null, cause: 'exit', error: null, data: null, elapsed: 0 })
  assert.deepEqual(io.pieces, [])
  assert.deepEqual(bot.commands(), ['make'])
})

test('the first answer that fits prints its output in order and gives its result', async () => {
  const bot = createScriptedSlave({
    name: 'bot',
    answers: [
      {
        match: 'make test',
        output: ['one\n', { data: 'two\n', stream: 'stderr' }, { data: 'x', log: 'core' }],
        result: 2,
      },
      { match: /^make/, times: 1, result: { exitCode: null, signal: 'SIGKILL', cause: 'timeout' } },
    ],
  })
  const link = bot.connect()
  const io = recorder()
  assert.equal((await link.run(id, 'full', shell('make test'), io)).exitCode, 2)
  assert.deepEqual(io.pieces, ['stdio stdout 0 one\n', 'stdio stderr 4 two\n', 'core stdout 0 x'])
  assert.equal((await link.run({ ...id, index: 1 }, 'full', shell('make'), recorder())).cause, 'timeout')
  assert.equal((await link.run({ ...id, index: 2 }, 'full', shell('make'), recorder())).cause, 'exit')
})

test('a hanging command ends when it is interrupted, unless it is deaf', async () => {
  const bot = createScriptedSlave({ name: 'bot', answers: [{ match: 'deaf', hang: true, deaf: true }, { hang: true }] })
  const link = bot.connect()
  const ran = link.run(id, 'full', shell('make'), recorder())
  link.interrupt(id, 'stopped by jane')
  assert.equal((await ran).cause, 'interrupted')
  const other = { ...id, index: 1 }
  const deaf = link.run(other, 'full', shell('deaf'), recorder())
  link.interrupt(other, 'stopped by jane')
  bot.finish('deaf', 3)
  assert.equal((await deaf).exitCode, 3)
})

test('a broken link rejects pending calls; a held command is taken up again from the offset', async () => {
  const bot = createScriptedSlave({
    name: 'bot',
    answers: [{ output: ['0123', '4567'], hang: true, result: 7 }],
  })
  const link = bot.connect()
  const before = recorder()
  const ran = link.run(id, 'full', shell('make'), before)
  await until(() => before.pieces.length === 2, { what: 'the output' })
  bot.drop('cable cut')
  await assert.rejects(ran, { code: 'BOLT_SESSION_LOST' })
  assert.equal(await link.closed, 'cable cut')
  await assert.rejects(link.ping(new AbortController().signal), { code: 'BOLT_SESSION_LOST' })

  const next = bot.connect()
  assert.deepEqual(next.held, [{ id, running: true, lengths: { stdio: 8 } }])
  const after = recorder()
  const resumed = next.resume(id, { stdio: 6 }, after)
  bot.finish()
  assert.equal((await resumed).exitCode, 7)
  assert.deepEqual(after.pieces, ['stdio stdout 6 67'])
  next.forget(id)
  assert.deepEqual(bot.held, [])
})

test('a slave that is not resumable, or that crashed, holds nothing', async () => {
  for (const resumable of [false, true]) {
    const bot = createScriptedSlave({ name: 'bot', info: { resumable }, answers: [{ hang: true }] })
    const ran = bot.connect().run(id, 'full', shell('make'), recorder())
    if (resumable) bot.crash()
    else bot.drop()
    await assert.rejects(ran, { code: 'BOLT_SESSION_LOST' })
    const link = bot.connect()
    assert.deepEqual(link.held, [])
    await assert.rejects(link.resume(id, {}, recorder()), { code: 'BOLT_TESTING_NOT_HELD' })
  }
})

test('a command may break the link in the middle and finish while it is down', async () => {
  const bot = createScriptedSlave({ name: 'bot', answers: [{ output: 'half', drop: true, result: 4 }] })
  await assert.rejects(bot.connect().run(id, 'full', shell('make'), recorder()), { code: 'BOLT_SESSION_LOST' })
  await until(() => bot.connect().held[0]?.running === false, { what: 'the command to end' })
  const io = recorder()
  assert.equal((await bot.connect().resume(id, {}, io)).exitCode, 4)
  assert.deepEqual(io.pieces, ['stdio stdout 0 half'])
})

test('a mute slave answers no ping until its signal aborts', async () => {
  const clock = createFakeClock()
  const bot = createScriptedSlave({ name: 'bot', clock })
  const link = bot.connect()
  await clock.advance(5)
  await link.ping(new AbortController().signal)
  assert.equal(link.lastHeard(), clock.now())
  bot.mute()
  const abort = new AbortController()
  const pinged = assert.rejects(link.ping(abort.signal), /no answer/)
  abort.abort(new Error('no answer'))
  await pinged
})

test('uploads and downloads go through the io', async () => {
  const bot = createScriptedSlave({ name: 'bot', answers: [{ match: 'upload', upload: 'report' }] })
  const link = bot.connect()
  const received: string[] = []
  await link.run(
    id,
    'full',
    { kind: 'upload', path: 'r.xml' },
    {
      ...recorder(),
      receive: async (offset, data) => void received.push(`${offset} ${new TextDecoder().decode(data)}`),
    },
  )
  assert.deepEqual(received, ['0 report'])
  const source = new TextEncoder().encode('patch text')
  await link.run(
    { ...id, index: 1 },
    'full',
    { kind: 'download', path: 'p.diff' },
    {
      ...recorder(),
      provide: async (offset, length) => source.subarray(offset, offset + Math.min(length, 4)),
    },
  )
  assert.equal(new TextDecoder().decode(bot.files.get('p.diff')), 'patch text')
})

test('output the master cannot store fails the command', async () => {
  const bot = createScriptedSlave({ name: 'bot', answers: [{ output: 'text' }] })
  const full = { output: () => Promise.reject(new Error('disk full')) }
  await assert.rejects(bot.connect().run(id, 'full', shell('make'), full), /disk full/)
})

test('a shutdown breaks the link', async () => {
  const bot = createScriptedSlave({ name: 'bot' })
  const link = bot.connect()
  await link.shutdown()
  assert.match(await link.closed, /exited/)
})

function recorder(): CommandIo & { readonly pieces: string[] } {
  const pieces: string[] = []
  return {
    pieces,
    async output(log: string, stream: Stream, offset: number, data: Uint8Array) {
      pieces.push(`${log} ${stream} ${offset} ${new TextDecoder().decode(data)}`)
    },
  }
}
