import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Result, SourceStamp } from 'boltbot/plugin-sdk'
import { type DependentOptions, dependent, scheduler, triggerable } from 'boltbot/plugins/schedulers'
import { changeOf, follow, rulesOf } from './follow.ts'

const tests = scheduler({ name: 'tests', branch: 'main', builders: ['full'] })
const plugin = (options: Partial<DependentOptions> = {}) =>
  dependent({ name: 'package', upstream: tests, builders: ['tarball'], ...options })
const sourceStamp: SourceStamp = {
  branch: 'main',
  revision: 'r2',
  repository: 'r',
  project: 'p',
  codebase: 'c',
  patch: { level: 1, body: 'diff', subdir: '' },
  changes: [1, 2],
}
const ended = (result: Result) => ({ kind: 'buildset', scheduler: 'tests', result, sourceStamp, changes: [] }) as const

describe('dependent', () => {
  it('builds exactly the source stamp that was built well', () => {
    for (const result of ['success', 'warnings'] as const) {
      const run = follow(plugin({ properties: { colour: 'red' } }))
      run.feed(ended(result), 5)
      assert.deepEqual(run.built, [
        { at: 5, reason: 'scheduler "package"', properties: { colour: 'red' }, sourceStamp },
      ])
    }
  })

  it('builds nothing that was not', () => {
    const run = follow(plugin())
    for (const result of ['failure', 'exception', 'cancelled', 'skipped', 'retry'] as const) run.feed(ended(result), 5)
    run.start(6)
    run.now(7)
    assert.deepEqual(run.built, [])
  })

  it('follows its upstream by object or name, and takes no changes', async () => {
    assert.deepEqual(rulesOf(plugin()).follows, ['tests'])
    assert.deepEqual(rulesOf(plugin({ upstream: 'tests' })).follows, ['tests'])
    const named = triggerable({ name: 'packages', id: 'other', builders: ['full'] })
    assert.deepEqual(rulesOf(plugin({ upstream: named })).follows, ['packages'])
    assert.equal(await rulesOf(plugin()).wants?.(changeOf({})), false)
  })
})

describe('triggerable', () => {
  const packages = triggerable({ name: 'packages', builders: ['tarball'], properties: { a: 1, b: 1 }, priority: 4 })

  it('builds what a trigger says, never together with others, with its properties over its own', () => {
    const run = follow(packages)
    run.feed({ kind: 'trigger', reason: 'triggered by full #1', sourceStamp, properties: { b: 2 } }, 5)
    assert.deepEqual(run.built, [
      {
        at: 5,
        reason: 'triggered by full #1',
        sourceStamp,
        properties: { a: 1, b: 2 },
        merge: false,
        priority: 4,
      },
    ])
  })

  it('builds for nothing else', () => {
    const run = follow(packages)
    run.start(1)
    run.now(2)
    run.feed(ended('success'), 3)
    assert.deepEqual(run.built, [])
    assert.equal(rulesOf(packages).triggerable, true)
  })
})
