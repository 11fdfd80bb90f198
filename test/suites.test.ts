import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from './rig/sources.ts'

test('every test is in one suite', () => {
  const runner = readFileSync(join(ROOT, 'test/run.ts'), 'utf8')
  const found = [...runner.matchAll(/'([^']*\.test\.ts)'/g)].flatMap(([, pattern]) => globSync(pattern!, { cwd: ROOT }))
  const all = globSync('{docs,plugin-sdk,test}/**/*.test.ts', { cwd: ROOT })
  assert.deepEqual(found.toSorted(), all.toSorted())
})
