import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSlaveRig } from './rig.ts'

test('folders are made and removed, files removed, also when they are there or gone already', async () => {
  await using rig = await createSlaveRig()
  const at = (path: string) => join(rig.directory, path)
  assert.equal((await rig.run({ kind: 'mkdir', paths: ['a/b', 'c'] })).result.exitCode, 0)
  assert.equal((await rig.run({ kind: 'mkdir', paths: ['a/b'] })).result.exitCode, 0)
  writeFileSync(at('a/b/file'), 'x')
  writeFileSync(at('c/file'), 'x')
  assert.equal((await rig.run({ kind: 'rmfile', paths: ['c/file', 'c/none'] })).result.exitCode, 0)
  assert.deepEqual(readdirSync(at('c')), [])
  chmodSync(at('a/b'), 0o500)
  assert.equal((await rig.run({ kind: 'rmdir', paths: ['a', 'none'] })).result.exitCode, 0)
  assert.equal(existsSync(at('a')), false)
})

test('a folder is copied with modes and links, over what was there', async () => {
  await using rig = await createSlaveRig()
  const at = (path: string) => join(rig.directory, path)
  mkdirSync(at('from/sub'), { recursive: true })
  writeFileSync(at('from/sub/run'), 'x', { mode: 0o755 })
  symlinkSync('sub/run', at('from/link'))
  mkdirSync(at('to/old'), { recursive: true })
  const { result, text } = await rig.run({ kind: 'cpdir', from: 'from', to: 'to' })
  assert.equal(result.exitCode, 0, text())
  assert.deepEqual(readdirSync(at('to')).sort(), ['link', 'sub'])
  assert.equal(readlinkSync(at('to/link')), 'sub/run')
  assert.equal(statSync(at('to/sub/run')).mode & 0o777, 0o755)
  const missing = await rig.run({ kind: 'cpdir', from: 'none', to: 'to' })
  assert.equal(missing.result.cause, 'error')
  assert.match(missing.result.error ?? '', /no such file or directory/)
})

test('stat tells what is there', async () => {
  await using rig = await createSlaveRig()
  writeFileSync(join(rig.directory, 'file'), 'hello')
  const file = (await rig.run({ kind: 'stat', path: 'file' })).result.data
  const mtime = Math.round(lstatSync(join(rig.directory, 'file')).mtimeMs)
  assert.deepEqual(file, { type: 'file', size: 5, mtime })
  const folder = (await rig.run({ kind: 'stat', path: '.' })).result.data as { readonly type: string }
  assert.equal(folder.type, 'directory')
  assert.equal((await rig.run({ kind: 'stat', path: 'file/none' })).result.data, null)
})

test('glob gives the sorted paths', async () => {
  await using rig = await createSlaveRig()
  for (const path of ['b.txt', 'a.txt', 'sub/c.txt', 'sub/d.md']) {
    mkdirSync(join(rig.directory, path, '..'), { recursive: true })
    writeFileSync(join(rig.directory, path), '')
  }
  assert.deepEqual((await rig.run({ kind: 'glob', pattern: '**/*.txt' })).result.data, ['a.txt', 'b.txt', 'sub/c.txt'])
  assert.deepEqual((await rig.run({ kind: 'glob', pattern: '*.none' })).result.data, [])
})

test('no path leaves the directory of the builder', async () => {
  await using rig = await createSlaveRig()
  symlinkSync('/tmp', join(rig.directory, 'out'))
  const commands = [
    { kind: 'mkdir', paths: ['../x'] },
    { kind: 'rmdir', paths: ['.'] },
    { kind: 'rmdir', paths: ['/tmp'] },
    { kind: 'rmfile', paths: ['out/file'] },
    { kind: 'cpdir', from: '..', to: 'copy' },
    { kind: 'stat', path: '../../x' },
    { kind: 'glob', pattern: '../*' },
    { kind: 'glob', pattern: '{..,.}/*' },
    { kind: 'upload', path: '../password' },
    { kind: 'download', path: 'out/file' },
  ] as const
  for (const command of commands) {
    const { result } = await rig.run(command)
    assert.equal(result.cause, 'error', JSON.stringify(command))
    assert.match(result.error ?? '', /builder's directory/, JSON.stringify(command))
  }
  assert.ok((await rig.run({ kind: 'rmdir', paths: ['out'] })).result.exitCode === 0, 'the link itself may go')
})

test('20 MB go to the master and back unchanged', async () => {
  await using rig = await createSlaveRig()
  const bytes = randomBytes(20_000_000)
  writeFileSync(join(rig.directory, 'big'), bytes)
  const hash = createHash('sha256')
  let received = 0
  const up = await rig.run(
    { kind: 'upload', path: 'big' },
    {
      async receive(offset, data) {
        assert.equal(offset, received)
        received += data.length
        hash.update(data)
      },
    },
  )
  assert.equal(up.result.exitCode, 0, up.text())
  assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'))

  const provide = async (offset: number, length: number) => bytes.subarray(offset, offset + length)
  const down = await rig.run({ kind: 'download', path: 'new/copy', mode: 0o640 }, { provide })
  assert.equal(down.result.exitCode, 0, down.text())
  assert.ok(readFileSync(join(rig.directory, 'new/copy')).equals(bytes))
  assert.equal(statSync(join(rig.directory, 'new/copy')).mode & 0o777, 0o640)
  assert.deepEqual(readdirSync(join(rig.directory, 'new')), ['copy'])
})

test('an empty file goes both ways', async () => {
  await using rig = await createSlaveRig()
  const down = await rig.run({ kind: 'download', path: 'empty' }, { provide: async () => new Uint8Array() })
  assert.equal(down.result.exitCode, 0)
  assert.equal(statSync(join(rig.directory, 'empty')).size, 0)
  const up = await rig.run({ kind: 'upload', path: 'empty' }, { receive: async () => {} })
  assert.equal(up.result.exitCode, 0)
})

test('files beyond their limit are refused, and nothing is left of them', async () => {
  await using rig = await createSlaveRig()
  writeFileSync(join(rig.directory, 'big'), 'x'.repeat(1001))
  const up = await rig.run({ kind: 'upload', path: 'big', maxSize: 1000 }, { receive: async () => {} })
  assert.equal(up.result.error, 'The file "big" has 1001 bytes, the limit is 1000.')
  const provide = async (offset: number) => new Uint8Array(offset < 5000 ? 500 : 0)
  const down = await rig.run({ kind: 'download', path: 'small', maxSize: 1000 }, { provide })
  assert.equal(down.result.error, 'The file for "small" has more than 1000 bytes.')
  assert.deepEqual(readdirSync(rig.directory), ['big'])
})
