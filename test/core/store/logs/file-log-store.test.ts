import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { appendFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { hasCode, messageOf } from 'boltbot/plugin-sdk'
import { createMemoryLog, until } from 'boltbot/plugin-sdk/testing'
import { createClock } from '../../../../core/clock.ts'
import type { LogKey } from '../../../../core/store/log-store.ts'
import { createFileLogStore } from '../../../../core/store/logs/file-log-store.ts'
import { logStoreConformance, readAll } from '../../../conformance/log-store.ts'
import { createSmallDisk } from '../small-disk.ts'
import { createFolder } from '../sqlite-rig.ts'

const KEY: LogKey = { build: 1234, step: 0, log: 'stdio', epoch: 1 }

logStoreConformance({ name: 'in files', open: createRig })

describe('the files of logs', () => {
  it('hold exactly the bytes while the log runs, and are smaller once it is finished', async () => {
    await using rig = await createRig()
    const text = 'gcc -O2 -c main.c -o main.o\n'.repeat(50_000)
    await rig.logs.append(KEY, 'stdout', Buffer.from(text))
    assert.equal(readFileSync(rig.path('.log'), 'utf8'), text)
    await rig.logs.finish(KEY)
    await until(() => existsSync(rig.path('.logz')) && !existsSync(rig.path('.log')), { what: 'the compressed log' })
    assert.ok(readFileSync(rig.path('.logz')).length < text.length / 10)
    assert.equal((await readAll(rig.logs, KEY)).toString(), text)
    assert.equal(await rig.logs.lineOffset(KEY, -1), text.length - 28)
    assert.deepEqual(await readdir(join(rig.path(''), '..')), ['0.1.stdio.idx', '0.1.stdio.logz'])
  })

  it('stay as they are when they are small', async () => {
    await using rig = await createRig()
    await rig.logs.append(KEY, 'stdout', Buffer.from('small\n'))
    await rig.logs.finish(KEY)
    await rig.reopen()
    assert.deepEqual(await rig.logs.finish(KEY), { bytes: 6, lines: 1 })
    assert.equal(readFileSync(rig.path('.log'), 'utf8'), 'small\n')
  })

  it('are whole also when they cannot be made smaller', async () => {
    await using rig = await createRig()
    // Hashes: deterministic, and as good as random.
    const bytes = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => createHash('sha256').update(`${i}`).digest()))
    await rig.logs.append(KEY, 'stdout', bytes)
    await rig.logs.finish(KEY)
    await until(() => existsSync(rig.path('.logz')) && !existsSync(rig.path('.log')), { what: 'the compressed log' })
    assert.ok((await readAll(rig.logs, KEY)).equals(bytes))
  })

  it('are compressed later when a process ended before it came to that', async () => {
    await using rig = await createRig()
    const text = 'x'.repeat(100_000)
    await rig.logs.append(KEY, 'stdout', Buffer.from(text))
    await rig.logs.finish(KEY)
    await rig.logs.close()
    // As a kill leaves it: sealed, the bytes as they were, a half-written compressed file.
    await rm(rig.path('.logz'), { force: true })
    await writeFile(rig.path('.log'), text)
    await writeFile(rig.path('.logz.tmp'), 'half')
    await rig.reopen()
    assert.equal((await readAll(rig.logs, KEY)).toString(), text)
    await until(() => !existsSync(rig.path('.log')), { what: 'the compressed log' })
    assert.equal((await readAll(rig.logs, KEY)).toString(), text)
    assert.equal(existsSync(rig.path('.logz.tmp')), false)
  })

  it('are cut back to what both bytes and index know', async () => {
    await using rig = await createRig()
    await rig.logs.append(KEY, 'stdout', Buffer.from('one\n'))
    await rig.logs.append(KEY, 'stderr', Buffer.from('two\n'))
    await rig.logs.close()
    await appendFile(rig.path('.log'), 'never acknowledged')
    await appendFile(rig.path('.idx'), 'half a rec')
    await rig.reopen()
    assert.equal(await rig.logs.length(KEY), 8)
    assert.equal(await rig.logs.append(KEY, 'stdout', Buffer.from('three\n')), 14)
    assert.equal((await readAll(rig.logs, KEY)).toString(), 'one\ntwo\nthree\n')
    assert.equal(await rig.logs.lineOffset(KEY, 2), 8)

    await rig.logs.close()
    truncateSync(rig.path('.log'), 10)
    await rig.reopen()
    assert.equal(await rig.logs.length(KEY), 8)
    assert.equal((await readAll(rig.logs, KEY)).toString(), 'one\ntwo\n')

    await rig.logs.close()
    const index = readFileSync(rig.path('.idx'))
    writeFileSync(rig.path('.idx'), index.fill(0, 16))
    await rig.reopen()
    assert.equal((await readAll(rig.logs, KEY)).toString(), 'one\n')
  })

  it('are many more than may be open at once', async () => {
    await using rig = await createRig()
    const keys = Array.from({ length: 300 }, (_, i) => ({ ...KEY, step: i }))
    for (const word of ['a', 'b', 'c']) {
      await Promise.all(keys.map((key) => rig.logs.append(key, 'stdout', Buffer.from(`${word}${key.step}\n`))))
    }
    for (const key of keys) {
      assert.equal((await readAll(rig.logs, key)).toString(), `a${key.step}\nb${key.step}\nc${key.step}\n`)
    }
    const sizes = await Promise.all(keys.map((key) => rig.logs.finish(key)))
    assert.deepEqual(new Set(sizes.map((size) => size.lines)), new Set([3]))
  })

  it('can be removed while they are compressed', async () => {
    await using rig = await createRig()
    await rig.logs.append(KEY, 'stdout', Buffer.alloc(5_000_000, 'text\n'))
    await rig.logs.finish(KEY)
    await rig.logs.remove(KEY.build)
    assert.equal(await rig.logs.length(KEY), 0)
    await rig.logs.close()
    assert.equal(existsSync(rig.path('.idx')), false)
    assert.deepEqual(rig.log.find('warn'), [])
  })

  it('give a code when they cannot be written or read', async () => {
    await using rig = await createRig()
    await mkdir(join(rig.path(''), '..'), { recursive: true })
    await mkdir(rig.path('.log'))
    await assert.rejects(rig.logs.append(KEY, 'stdout', Buffer.from('x')), (error) => {
      return hasCode(error, 'BOLT_LOGS_WRITE') && /"1234\/0\/stdio\/1".*EISDIR/.test(messageOf(error))
    })
    await assert.rejects(rig.logs.read(KEY, 0), (error) => hasCode(error, 'BOLT_LOGS_READ'))
    await rm(rig.path('.log'), { recursive: true })
    assert.equal(await rig.logs.append(KEY, 'stdout', Buffer.from('x')), 1)
  })

  it('lose nothing and tear nothing on a full disk, and go on when there is room', async (t) => {
    await using disk = await createSmallDisk(t, 2)
    if (disk === undefined) return
    const log = createMemoryLog()
    const logs = createFileLogStore({ directory: join(disk.path, 'logs'), clock: createClock(log), log })
    await using _ = { [Symbol.asyncDispose]: () => logs.close() }
    const ballast = join(disk.path, 'ballast')
    await writeFile(ballast, Buffer.alloc(1_000_000))
    const chunk = Buffer.alloc(100_000, '0123456789\n')
    let length = 0
    const failed: unknown[] = []
    for (let i = 0; i < 15; i++) {
      const stream = i % 2 === 0 ? 'stdout' : 'stderr'
      await logs.append(KEY, stream, chunk).then(
        (now) => {
          length = now
        },
        (error) => failed.push(error),
      )
    }
    assert.ok(failed.length > 0 && failed.every((error) => hasCode(error, 'BOLT_LOGS_WRITE')), String(failed))
    assert.match(messageOf(failed[0]), /ENOSPC|no space/)
    assert.equal(await logs.length(KEY), length)
    assert.equal((await readAll(logs, KEY)).length, length)
    await rm(ballast)
    assert.equal(await logs.append(KEY, 'stdout', chunk), length + chunk.length)
    const whole = await readAll(logs, KEY)
    assert.ok(whole.equals(Buffer.concat(Array.from({ length: length / chunk.length + 1 }, () => chunk))))
    assert.equal((await logs.finish(KEY)).bytes, whole.length)
  })
})

async function createRig() {
  const folder = await createFolder()
  const log = createMemoryLog()
  let logs = createFileLogStore({ directory: folder.path, clock: createClock(log), log })
  return {
    get logs() {
      return logs
    },
    log,
    /** Of the files of `KEY`. */
    path: (ending: string) => join(folder.path, '1', '1234', `0.1.stdio${ending}`),
    async reopen() {
      await logs.close()
      logs = createFileLogStore({ directory: folder.path, clock: createClock(log), log })
    },
    async [Symbol.asyncDispose]() {
      await logs.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}
