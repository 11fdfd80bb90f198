import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { checkInFreshProcess } from '../../core/config/evaluate.ts'

const configs = globSync('docs/examples/*/master.cfg.ts', { cwd: resolve(import.meta.dirname, '../..') }).sort()

test('the configs of the examples have no problems', async () => {
  assert.ok(configs.length >= 7)
  for (const file of configs)
    assert.deepEqual((await checkInFreshProcess(resolve(import.meta.dirname, '../..', file))).problems, [], file)
})

test('each example has a plugin, a test, a config and a README, and stands on the index', () => {
  const home = resolve(import.meta.dirname, '../../docs/examples')
  const index = readFileSync(join(home, 'README.md'), 'utf8')
  for (const { name } of readdirSync(home, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    for (const file of [`${name}.ts`, `${name}.test.ts`, 'master.cfg.ts', 'README.md'])
      assert.ok(existsSync(join(home, name, file)), `${name}/${file}`)
    assert.ok(index.includes(`](${name}/README.md)`), name)
  }
})

test('the plugin for the external build database is one file of less than 80 lines that knows the SDK alone', () => {
  const file = resolve(import.meta.dirname, '../../docs/examples/external-queue/external-queue.ts')
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  assert.ok(lines.length < 80, `${lines.length} lines`)
  const imports = lines.flatMap((line) => /^import .* from '(.*)'$/.exec(line)?.[1] ?? [])
  assert.deepEqual(
    imports.filter((name) => !name.startsWith('node:')),
    ['boltbot/plugin-sdk'],
  )
})
