import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isPassword } from 'boltbot/plugin-sdk'

const BIN = fileURLToPath(new URL('../../../core/cli/boltbot.js', import.meta.url))

test('the hash of what standard input gives is printed, and a short password refused without being shown', async () => {
  const run = (input: string) =>
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', BIN, 'hash-password'], {
      input,
      encoding: 'utf8',
    })
  const { status, stdout } = run('open sesame\n')
  assert.equal(status, 0)
  assert.ok(await isPassword('open sesame', stdout.trim()))
  const short = run('abc\n')
  assert.equal(short.status, 2)
  assert.match(short.stderr, /at least 8 characters/)
  assert.doesNotMatch(short.stderr, /abc/)
})
