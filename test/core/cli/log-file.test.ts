import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLogFile } from '../../../core/cli/log-file.ts'

function createFolder() {
  const path = mkdtempSync(join(tmpdir(), 'boltbot-test-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

test('a full log file moves on, and so many old ones are kept', () => {
  using folder = createFolder()
  using file = openLogFile({ path: join(folder.path, 'master.log'), maxBytes: 10, keep: 2 })
  for (const line of ['one', 'two', 'three', 'four', 'five', 'six', 'a line longer than the limit', 'end'])
    file.write(line)
  assert.deepEqual(readdirSync(folder.path).sort(), ['master.log', 'master.log.1', 'master.log.2'])
  const read = (name: string) => readFileSync(join(folder.path, name), 'utf8')
  assert.equal(read('master.log'), 'end\n')
  assert.equal(read('master.log.1'), 'a line longer than the limit\n')
  assert.equal(read('master.log.2'), 'six\n')
})

test('what was there is kept when the file is opened again', () => {
  using folder = createFolder()
  const path = join(folder.path, 'master.log')
  for (const line of ['before', 'after']) {
    using file = openLogFile({ path })
    file.write(line)
  }
  assert.equal(readFileSync(path, 'utf8'), 'before\nafter\n')
})
