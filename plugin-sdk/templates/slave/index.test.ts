import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'boltbot/plugin-sdk'
import { createTestHost, transportSuite } from 'boltbot/plugin-sdk/testing'
import { myPlugin } from './index.ts'

test('a command is run, and its output handed over', async (t) => {
  const { run } = await attached(t)
  const { result, output } = await run({ kind: 'shell', command: 'echo out; echo err >&2; exit 3' })
  assert.equal(result.exitCode, 3)
  assert.deepEqual(output.toSorted(), ['stderr: err\n', 'stdout: out\n'])
})

test('what is no program is an error, not a failure', async (t) => {
  const { run } = await attached(t)
  const { result } = await run({ kind: 'shell', command: ['no-such-program'] })
  assert.equal(result.cause, 'error')
})

test('an interrupted command ends', async (t) => {
  const { connection, run } = await attached(t)
  const stop = () => connection.interrupt(ID, 'enough')
  const { result } = await run({ kind: 'shell', command: ['sh', '-c', 'echo here I am; exec sleep 60'] }, stop)
  assert.equal(result.cause, 'interrupted')
})

// What every transport has to do.
transportSuite(test, {
  name: 'my-plugin',
  make: async () => ({ plugin: () => myPlugin({ slave: 'bot' }), async [Symbol.asyncDispose]() {} }),
})

const ID = { build: 1, epoch: 1, step: 0, index: 0 }

async function attached(t: { after(end: () => Promise<void>): void }) {
  const directory = await mkdtemp(join(tmpdir(), 'my-plugin-'))
  const host = createTestHost({ directory, slaves: { bot: undefined } })
  t.after(async () => {
    await host.stop()
    await rm(directory, { recursive: true })
  })
  await host.run(myPlugin({ slave: 'bot' }))
  const connection = host.attached[0]!
  await connection.setBuilders([{ name: 'full', directory: 'full' }])
  async function run(command: Command, said = () => {}) {
    const output: string[] = []
    const result = await connection.run(ID, 'full', command, {
      async output(_log, stream, _offset, data) {
        output.push(`${stream}: ${new TextDecoder().decode(data)}`)
        said()
      },
    })
    return { result, output }
  }
  return { connection, run }
}
