import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hasCode } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog, until } from 'boltbot/plugin-sdk/testing'
import { createClock } from '../../../core/clock.ts'
import { readEvents } from '../../../core/store/journal.ts'
import { createFileLogStore } from '../../../core/store/logs/file-log-store.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { createFolder } from './sqlite-rig.ts'

const ROUNDS = 4

describe('a process killed with SIGKILL', () => {
  it('has lost no transition that the store acknowledged, and half of none', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'state.sqlite')
    const acknowledged: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      acknowledged.push(...(await killAfter(40 + round * 70, 'store', file)))
      const store = await openSqliteStore({ file, clock: createFakeClock(), log: createMemoryLog() })
      const rows = await store.db.selectFrom('meta').selectAll().where('key', '<>', 'schema').execute()
      const stored = new Set(rows.map((row) => row.key))
      assert.deepEqual(
        acknowledged.filter((key) => !stored.has(key)),
        [],
      )
      assert.deepEqual(
        rows.filter((row) => row.value !== 'second'),
        [],
      )
      const told = await readEvents(store, { after: 0, limit: 1_000_000 })
      assert.equal(told.length, rows.length)
      await store.close()
    }
  })

  it('no longer holds the store, which nobody else could open while it lived', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'state.sqlite')
    const open = () => openSqliteStore({ file, clock: createFakeClock(), log: createMemoryLog() })
    await killAfter(1, 'store', file, async () => {
      await assert.rejects(open(), (error) => hasCode(error, 'BOLT_STORE_LOCKED'))
    })
    await (await open()).close()
  })

  it('has lost no byte of a log that was acknowledged, and what follows is in its place', async () => {
    await using folder = await createFolder()
    for (let round = 0; round < ROUNDS; round++) {
      const lengths = (await killAfter(40 + round * 70, 'logs', folder.path)).map(Number)
      const logs = createFileLogStore({
        directory: folder.path,
        clock: createClock(createMemoryLog()),
        log: createMemoryLog(),
      })
      const key = { build: 1, step: 0, log: 'stdio', epoch: 1 }
      const length = await logs.length(key)
      assert.ok(length >= lengths.at(-1)!, `${length} of ${lengths.at(-1)}`)
      let text = ''
      // A read gives a megabyte at most.
      while (text.length < length)
        for (const { data } of await logs.read(key, text.length)) text += Buffer.from(data).toString()
      assert.equal(text.length, length)
      const whole = Array.from({ length: Math.ceil(length / 1000) }, (_, i) => `${String(i).padStart(999, '.')}\n`)
      assert.equal(text, whole.join('').slice(0, length))
      // A part of a thousand was cut: taken up where it ended.
      if (length % 1000 > 0) await logs.append(key, 'stderr', Buffer.from(whole.join('').slice(length)))
      await logs.close()
    }
  })
})

/** Runs the child until it printed so many lines, kills it, and gives all it printed. */
async function killAfter(
  count: number,
  kind: string,
  path: string,
  meanwhile?: () => Promise<void>,
): Promise<string[]> {
  const script = fileURLToPath(new URL('crash-child.ts', import.meta.url))
  const child = spawn(process.execPath, [script, kind, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  const closed = once(reader, 'close')
  reader.on('line', (line) => lines.push(line))
  try {
    await until(() => lines.length >= count, { what: `${count} acknowledged writes`, deadline: 20_000 })
    await meanwhile?.()
  } finally {
    child.kill('SIGKILL')
    await Promise.all([exit, closed])
  }
  return lines
}
