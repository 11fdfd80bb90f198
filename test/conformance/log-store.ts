import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode, type Stream } from 'boltbot/plugin-sdk'
import { createSeededRandom } from 'boltbot/plugin-sdk/testing'
import type { LogKey, LogPiece, LogStore } from '../../core/store/log-store.ts'

/** A kind of log store, to be put through the suite. */
export interface LogStoreKind {
  readonly name: string
  open(): Promise<{ readonly logs: LogStore } & AsyncDisposable>
}

const KEY: LogKey = { build: 1, step: 2, log: 'stdio', epoch: 1 }

/** What every log store has to do. */
export function logStoreConformance(kind: LogStoreKind): void {
  describe(`the log store ${kind.name}`, () => {
    writing(kind)
    reading(kind)
    random(kind)
  })
}

function writing(kind: LogStoreKind): void {
  it('gives the new length for each append, also for several of one tick', async () => {
    await using under = await kind.open()
    const { logs } = under
    assert.equal(await logs.length(KEY), 0)
    assert.equal(await logs.append(KEY, 'stdout', bytes('hello\n')), 6)
    const some = ['a', 'bc', '', 'def'].map((text) => logs.append(KEY, 'stderr', bytes(text)))
    assert.deepEqual(await Promise.all(some), [7, 9, 9, 12])
    assert.equal(await logs.length(KEY), 12)
  })

  it('keeps logs apart by build, step, name and epoch, whatever the name', async () => {
    await using under = await kind.open()
    const { logs } = under
    const keys = [
      KEY,
      { ...KEY, build: 1001 },
      { ...KEY, step: 3 },
      { ...KEY, epoch: 2 },
      ...['Stdio', '../../etc/passwd', 'a/b', 'ü', '.', '', 'x'.repeat(300), `${'x'.repeat(300)}y`, 'a.b', 'con'].map(
        (log) => ({ ...KEY, log }),
      ),
    ]
    await Promise.all(keys.map((key, i) => logs.append(key, 'stdout', bytes(`text ${i}`))))
    for (const [i, key] of keys.entries()) assert.equal(text(await logs.read(key, 0)), `text ${i}`)
  })

  it('copies what it is given: a view into a larger buffer, which is used again', async () => {
    await using under = await kind.open()
    const pool = bytes('0123456789')
    await under.logs.append(KEY, 'stdout', pool.subarray(2, 5))
    pool.fill(0)
    assert.equal(text(await under.logs.read(KEY, 0)), '234')
    assert.equal(pool.length, 10)
  })

  it('finishes a log once and for all, with its sizes', async () => {
    await using under = await kind.open()
    const { logs } = under
    await logs.append(KEY, 'stdout', bytes('a\nb\nunfinished'))
    assert.deepEqual(await logs.finish(KEY), { bytes: 14, lines: 3 })
    assert.deepEqual(await logs.finish(KEY), { bytes: 14, lines: 3 })
    await assert.rejects(logs.append(KEY, 'stdout', bytes('more')), (error) => hasCode(error, 'BOLT_LOGS_FINISHED'))
    assert.equal(await logs.length(KEY), 14)
    assert.equal(text(await logs.read(KEY, 0)), 'a\nb\nunfinished')
  })

  it('finishes what was never written to with nothing', async () => {
    await using under = await kind.open()
    assert.deepEqual(await under.logs.finish(KEY), { bytes: 0, lines: 0 })
    assert.deepEqual(await under.logs.read(KEY, 0), [])
    assert.equal(await under.logs.lineOffset(KEY, 5), 0)
  })

  it('removes the logs of one build, of all epochs, running or not', async () => {
    await using under = await kind.open()
    const { logs } = under
    const mine = [KEY, { ...KEY, epoch: 2 }, { ...KEY, log: 'other' }]
    const other = { ...KEY, build: 11 }
    for (const key of [...mine, other]) await logs.append(key, 'stdout', bytes('text'))
    await logs.finish(mine[2]!)
    await logs.remove(KEY.build)
    for (const key of mine) assert.equal(await logs.length(key), 0)
    assert.equal(text(await logs.read(other, 0)), 'text')
    await logs.remove(999)
    assert.equal(await logs.append(KEY, 'stdout', bytes('new')), 3)
  })

  it('refuses everything after it was closed', async () => {
    await using under = await kind.open()
    const { logs } = under
    const last = logs.append(KEY, 'stdout', bytes('text'))
    await logs.close()
    assert.equal(await last, 4)
    const isClosed = (error: unknown) => hasCode(error, 'BOLT_LOGS_CLOSED')
    await assert.rejects(logs.append(KEY, 'stdout', bytes('more')), isClosed)
    await assert.rejects(logs.read(KEY, 0), isClosed)
    await assert.rejects(logs.remove(1), isClosed)
    await logs.close()
  })
}

function reading(kind: LogStoreKind): void {
  it('gives back pieces of one stream each, with their places', async () => {
    await using under = await kind.open()
    const { logs } = under
    await logs.append(KEY, 'header', bytes('run\n'))
    await logs.append(KEY, 'stdout', bytes('out 1\n'))
    await logs.append(KEY, 'stdout', bytes('out 2\n'))
    await logs.append(KEY, 'stderr', bytes('bad\n'))
    await logs.append(KEY, 'stdout', bytes('out 3\n'))
    assert.deepEqual(shown(await logs.read(KEY, 0)), [
      [0, 'header', 'run\n'],
      [4, 'stdout', 'out 1\nout 2\n'],
      [16, 'stderr', 'bad\n'],
      [20, 'stdout', 'out 3\n'],
    ])
    assert.deepEqual(shown(await logs.read(KEY, 6, 18)), [
      [6, 'stdout', 't 1\nout 2\n'],
      [16, 'stderr', 'ba'],
    ])
    assert.deepEqual(await logs.read(KEY, 26), [])
    assert.deepEqual(await logs.read(KEY, 99, 120), [])
    assert.deepEqual(shown(await logs.read(KEY, 25, 1000)), [[25, 'stdout', '\n']])
  })

  it('gives at most 1 MiB a call, and a line of 5 MB whole over several', async () => {
    await using under = await kind.open()
    const { logs } = under
    const line = Buffer.alloc(5_000_000, 'abcdefghijklmnopqrstuvwxyz')
    await logs.append(KEY, 'stdout', bytes('before\n'))
    for (let at = 0; at < line.length; at += 70_001) {
      await logs.append(KEY, 'stdout', line.subarray(at, at + 70_001))
    }
    await logs.append(KEY, 'stdout', bytes('\nafter\n'))
    for (const state of ['running', 'finished']) {
      const whole = await readAll(logs, KEY)
      assert.ok(whole.equals(Buffer.concat([bytes('before\n'), line, bytes('\nafter\n')])), state)
      assert.equal(
        (await logs.read(KEY, 0)).reduce((sum, piece) => sum + piece.data.length, 0),
        1024 * 1024,
      )
      assert.equal(await logs.lineOffset(KEY, 1), 7)
      assert.equal(await logs.lineOffset(KEY, 2), 5_000_008)
      assert.deepEqual(await logs.finish(KEY), { bytes: 5_000_014, lines: 3 })
    }
  })

  it('finds lines from the start and from the end', async () => {
    await using under = await kind.open()
    const { logs } = under
    assert.equal(await logs.lineOffset(KEY, 0), 0)
    assert.equal(await logs.lineOffset(KEY, -1), 0)
    assert.equal(await logs.lines(KEY), 0)
    await logs.append(KEY, 'stdout', bytes('a\n\nccc\nlast'))
    const offsets = async (...lines: number[]) => Promise.all(lines.map((line) => logs.lineOffset(KEY, line)))
    assert.deepEqual(await offsets(0, 1, 2, 3, 4, 100), [0, 2, 3, 7, 11, 11])
    assert.deepEqual(await offsets(-1, -2, -3, -4, -5, -100), [7, 3, 2, 0, 0, 0])
    await logs.append(KEY, 'stdout', bytes('\n'))
    assert.deepEqual(await offsets(-1, 4), [7, 12])
  })
}

function random(kind: LogStoreKind): void {
  it('agrees with a plain buffer, whatever is appended, while running and finished', async () => {
    for (const seed of [1, 2, 3]) {
      await using under = await kind.open()
      const { logs } = under
      const chance = createSeededRandom(seed)
      const whole: { stream: Stream; byte: number }[] = []
      const streams = ['stdout', 'stderr', 'header'] as const
      for (let i = 0; i < 60; i++) {
        const length = Math.floor(chance.next() ** 4 * 40_000)
        const data = Uint8Array.from({ length }, () =>
          chance.next() < 0.02 ? 10 : 97 + Math.floor(chance.next() * 26),
        )
        const stream = streams[Math.floor(chance.next() * 3)]!
        for (const byte of data) whole.push({ stream, byte })
        assert.equal(await logs.append(KEY, stream, data), whole.length)
      }
      const expected = Uint8Array.from(whole, (one) => one.byte)
      const starts = [0, ...whole.flatMap((one, i) => (one.byte === 10 ? [i + 1] : []))]
      if (starts.at(-1) === whole.length) starts.pop()
      for (const state of ['running', 'finished']) {
        for (let i = 0; i < 20; i++) {
          const from = Math.floor(chance.next() * whole.length)
          const to = from + Math.floor(chance.next() * 70_000)
          let at = from
          for (const piece of await logs.read(KEY, from, to)) {
            assert.equal(piece.offset, at, `seed ${seed}, ${state}`)
            assert.ok(Buffer.from(piece.data).equals(expected.subarray(at, at + piece.data.length)))
            const place = at
            assert.ok(piece.data.every((_, n) => whole[place + n]!.stream === piece.stream))
            at += piece.data.length
          }
          assert.equal(at, Math.min(to, whole.length), `seed ${seed}, ${state}`)
          const line = Math.floor(chance.next() * starts.length)
          assert.equal(await logs.lineOffset(KEY, line), starts[line], `seed ${seed}, ${state}, line ${line}`)
          assert.equal(await logs.lineOffset(KEY, line - starts.length), starts[line], `seed ${seed}, from the end`)
        }
        assert.equal(await logs.lines(KEY), starts.length, `seed ${seed}, ${state}`)
        assert.deepEqual(await logs.finish(KEY), { bytes: whole.length, lines: starts.length })
      }
    }
  })
}

export async function readAll(logs: LogStore, key: LogKey): Promise<Buffer> {
  const all: Uint8Array[] = []
  for (let at = 0; ; ) {
    const pieces = await logs.read(key, at)
    if (pieces.length === 0) return Buffer.concat(all)
    for (const piece of pieces) {
      all.push(piece.data)
      at += piece.data.length
    }
  }
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function text(pieces: readonly LogPiece[]): string {
  return Buffer.concat(pieces.map((piece) => piece.data)).toString()
}

function shown(pieces: readonly LogPiece[]): [number, Stream, string][] {
  return pieces.map((piece) => [piece.offset, piece.stream, Buffer.from(piece.data).toString()])
}
