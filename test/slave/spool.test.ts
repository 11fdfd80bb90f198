import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CommandSpool, createSpool } from '../../slave/spool.ts'
import type { CommandResult, Stream } from '../../wire/agent/messages.ts'
import { createSlaveRig } from './rig.ts'

const id = { build: 1, epoch: 1, step: 0, index: 0 }
const result: CommandResult = { exitCode: 0, signal: null, cause: 'exit', error: null, elapsed: 1, data: null }

test('what was said can be read from any offset, from memory, from the disk and after a restart', async () => {
  using folder = makeFolder()
  const piece = fc.record({
    stream: fc.constantFrom<Stream>('stdout', 'stderr'),
    size: fc.integer({ min: 1, max: 90_000 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      async (pieces, at) => {
        const spool = createSpool({ directory: folder.path })
        const kept = spool.create(id, 'digest', assert.fail)
        const said: { readonly stream: Stream; readonly byte: number }[] = []
        for (const [index, { stream, size }] of pieces.entries()) {
          await kept.append('stdio', stream, new Uint8Array(size).fill(index))
          for (let n = 0; n < size; n += 1000) said[(kept.length('stdio') - size + n) / 1000] = { stream, byte: index }
        }
        await readAll(kept, pieces, at)
        await kept.persist(result)
        await kept.close()
        const [found] = (await createSpool({ directory: folder.path }).load()).finished
        assert.equal(found?.digest, 'digest')
        assert.deepEqual(found?.id, id)
        assert.deepEqual(found?.result, result)
        await readAll(found!.spool, pieces, at)
        await found!.spool.remove()
        assert.deepEqual(readdirSync(folder.path), [])
      },
    ),
    { numRuns: 20 },
  )
})

async function readAll(
  spool: CommandSpool,
  pieces: readonly { readonly stream: Stream; readonly size: number }[],
  offsets: readonly number[],
): Promise<void> {
  const length = pieces.reduce((sum, { size }) => sum + size, 0)
  assert.equal(spool.length('stdio'), length)
  for (const offset of [0, ...offsets.map((at) => at % length)]) {
    for (let at = offset; at < length; ) {
      const { stream, data } = await spool.read('stdio', at, 64 * 1024)
      assert.ok(data.length > 0 && data.length <= 64 * 1024)
      let start = 0
      for (const [index, piece] of pieces.entries()) {
        const overlap = data.subarray(Math.max(0, start - at), Math.max(0, start + piece.size - at))
        if (overlap.length > 0) assert.equal(stream, piece.stream)
        assert.ok(overlap.every((byte) => byte === index))
        start += piece.size
      }
      at += data.length
    }
  }
}

test('of what was not finished when the agent ended only the name stays, until it is dropped', async () => {
  using folder = makeFolder()
  mkdirSync(join(folder.path, '1.1.0.0'))
  writeFileSync(join(folder.path, '1.1.0.0', '0.log'), 'half')
  mkdirSync(join(folder.path, '1.1.0.1'))
  writeFileSync(join(folder.path, '1.1.0.1', 'result.json'), '{"torn')
  const spool = createSpool({ directory: folder.path })
  const name = await spool.instance()
  const lost = [
    { build: 1, epoch: 1, step: 0, index: 0 },
    { build: 1, epoch: 1, step: 0, index: 1 },
  ]
  assert.deepEqual(await spool.load(), { finished: [], lost })
  assert.deepEqual(readdirSync(join(folder.path, '1.1.0.0')), [])
  assert.deepEqual((await createSpool({ directory: folder.path }).load()).lost, lost)
  for (const id of lost) await spool.drop(id)
  assert.deepEqual(await createSpool({ directory: folder.path }).load(), { finished: [], lost: [] })
  assert.equal(await createSpool({ directory: folder.path }).instance(), name)
})

const mayMount = process.platform === 'linux' && process.getuid?.() === 0

test('a full disk ends the command with the reason, and the agent lives', {
  skip: mayMount ? false : 'needs root to mount a small disk',
}, async () => {
  await using rig = await createSlaveRig()
  const spool = join(rig.basedir, 'spool')
  mkdirSync(spool, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', spool])
  using _mounted = { [Symbol.dispose]: () => void execFileSync('umount', ['-l', spool]) }
  const script = `setInterval(() => process.stdout.write('x'.repeat(200_000)), 10)`
  const { result: ended, text } = await rig.run({ kind: 'shell', command: [process.execPath, '-e', script] })
  assert.equal(ended.cause, 'error')
  assert.match(ended.error ?? '', /^The output cannot be kept in ".*": no space left on device\.$/)
  assert.match(text('header'), /no space left on device/)
  assert.ok(text('stdout').length > 500_000, 'what was kept is there')
  assert.equal((await rig.run({ kind: 'shell', command: 'echo on' })).text('stdout'), 'on\n')
})

function makeFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'boltbot-spool-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
