import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { checkInFreshProcess } from '../../core/config/evaluate.ts'

const configs = globSync('docs/examples/*/master.cfg.ts', { cwd: resolve(import.meta.dirname, '../..') }).sort()

test('the configs of the examples have no problems', async () => {
  assert.ok(configs.length >= 6)
  for (const file of configs)
    assert.deepEqual((await checkInFreshProcess(resolve(import.meta.dirname, '../..', file))).problems, [], file)
})
