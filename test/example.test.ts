import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { checkInFreshProcess } from '../core/config/evaluate.ts'

const EXAMPLE = resolve(import.meta.dirname, '../master.cfg.example.ts')

test('the example config has no problem', async () => {
  const { problems, walk } = await checkInFreshProcess(EXAMPLE)
  assert.deepEqual(problems, [])
  assert.ok(walk.includes('Scheduler "tests" starts "full".'), walk.join('\n'))
})
