import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceStamp } from 'boltbot/plugin-sdk'
import { mergeKey, mergeStamps, retryDelay } from '../../core/queue.ts'

const stamp = (over: Partial<SourceStamp> = {}): SourceStamp => ({
  branch: 'main',
  revision: null,
  repository: 'r',
  project: '',
  codebase: '',
  patch: null,
  changes: [],
  ...over,
})
const key = (over: Partial<SourceStamp>, properties = {}, owner: string | null = null) =>
  mergeKey({ sourceStamp: stamp(over), properties, owner })

test('requests from changes of one branch merge whatever their revision', () => {
  assert.equal(key({ revision: 'a', changes: [1] }), key({ revision: 'b', changes: [2] }))
})

test('requests of different branches, repositories, properties or people do not merge', () => {
  const base = key({ changes: [1] })
  assert.notEqual(base, key({ changes: [1], branch: 'other' }))
  assert.notEqual(base, key({ changes: [1], repository: 'other' }))
  assert.notEqual(base, key({ changes: [1] }, { a: 1 }))
  assert.notEqual(key({}, {}, 'jane'), key({}, {}, 'joe'))
})

test('requests without changes merge only for the same revision', () => {
  assert.notEqual(key({ revision: 'a' }), key({ revision: 'b' }))
  assert.equal(key({ revision: 'a' }), key({ revision: 'a' }))
})

test('a patch never merges', () => {
  assert.equal(key({ patch: { level: 1, body: '', subdir: '' } }), null)
})

test('the order of properties does not matter', () => {
  assert.equal(key({}, { a: 1, b: 2 }), key({}, { b: 2, a: 1 }))
})

test('merged stamps have all changes once, in order, and the revision of the newest', () => {
  const merged = mergeStamps([
    stamp({ revision: 'r2', changes: [2, 3] }),
    stamp({ revision: 'r5', changes: [3, 5] }),
    stamp({ revision: 'r1', changes: [1] }),
  ])
  assert.deepEqual(merged.changes, [1, 2, 3, 5])
  assert.equal(merged.revision, 'r5')
})

test('the first lost slave costs no wait, then it doubles up to five minutes', () => {
  assert.deepEqual([1, 2, 3, 4, 20].map(retryDelay), [0, 1000, 2000, 4000, 300_000])
})
