import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import type { LogKey } from '../../../../core/store/log-store.ts'
import { createFileLogStore } from '../../../../core/store/logs/file-log-store.ts'
import { UNUSED_MS } from '../../../../core/store/logs/log-thread.ts'
import { readAll } from '../../../conformance/log-store.ts'
import { createFolder } from '../sqlite-rig.ts'

const KEY: LogKey = { build: 1, step: 0, log: 'stdio', epoch: 1 }

describe('the thread of logs', () => {
  it('is not there before it is needed', async () => {
    await using rig = await createRig()
    await rig.clock.advance(UNUSED_MS * 3)
    await rig.logs.close()
    assert.equal(rig.threads.length, 0)
  })

  it('stays while it is used', async () => {
    await using rig = await createRig()
    for (const word of ['one\n', 'two\n', 'three\n']) {
      await rig.logs.append(KEY, 'stdout', Buffer.from(word))
      await rig.clock.advance(UNUSED_MS)
    }
    assert.equal((await readAll(rig.logs, KEY)).toString(), 'one\ntwo\nthree\n')
    assert.equal(rig.threads.length, 1)
  })

  it('ends when nobody used it for long, and another goes on with the same logs', async () => {
    await using rig = await createRig()
    await rig.logs.append(KEY, 'stdout', Buffer.from('one\n'))
    await rig.clock.advance(UNUSED_MS * 2)
    await rig.ended(0)
    assert.deepEqual(rig.clock.pending(), [])
    assert.equal(await rig.logs.append(KEY, 'stdout', Buffer.from('two\n')), 8)
    assert.equal((await readAll(rig.logs, KEY)).toString(), 'one\ntwo\n')
    assert.equal(rig.threads.length, 2)
  })

  it('takes over in order what was asked while the one before it ended', async () => {
    await using rig = await createRig()
    await rig.logs.append(KEY, 'stdout', Buffer.from('0\n'))
    await rig.clock.advance(UNUSED_MS)
    // By the same timer that ends the thread: it cannot have ended yet.
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1)
    let appended: Promise<unknown> = Promise.resolve()
    rig.clock.timer(UNUSED_MS, () => {
      appended = Promise.all(numbers.map((number) => rig.logs.append(KEY, 'stdout', Buffer.from(`${number}\n`))))
    })
    await rig.clock.advance(UNUSED_MS)
    await appended
    assert.equal((await readAll(rig.logs, KEY)).toString(), [0, ...numbers, ''].join('\n'))
    assert.equal(rig.threads.length, 2)
  })

  it('leaves nothing open that was asked while it ended and the store was closed', async () => {
    await using rig = await createRig()
    await rig.logs.append(KEY, 'stdout', Buffer.from('one\n'))
    await rig.clock.advance(UNUSED_MS)
    let done: Promise<unknown> = Promise.resolve()
    rig.clock.timer(UNUSED_MS, () => {
      done = Promise.all([rig.logs.append(KEY, 'stdout', Buffer.from('two\n')), rig.logs.close()])
    })
    await rig.clock.advance(UNUSED_MS)
    assert.equal(((await done) as unknown[])[0], 8)
    await rig.ended(1)
    assert.deepEqual(rig.clock.pending(), [])
  })
})

async function createRig() {
  const folder = await createFolder()
  const clock = createFakeClock()
  const threads: Worker[] = []
  const ends: Promise<unknown>[] = []
  const note = (worker: Worker) => {
    threads.push(worker)
    ends.push(once(worker, 'exit'))
  }
  process.on('worker', note)
  const logs = createFileLogStore({ directory: folder.path, clock, log: createMemoryLog() })
  return {
    logs,
    clock,
    /** In the order of their starts. */
    threads,
    ended: (index: number) => ends[index],
    async [Symbol.asyncDispose]() {
      await logs.close()
      process.off('worker', note)
      await folder[Symbol.asyncDispose]()
    },
  }
}
