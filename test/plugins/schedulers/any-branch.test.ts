import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AnyBranchOptions, anyBranch } from 'boltbot/plugins/schedulers'
import fc from 'fast-check'
import { changeOf, follow, rulesOf } from './follow.ts'

const plugin = (options: Partial<AnyBranchOptions> = {}) =>
  anyBranch({ name: 'all', builders: ['full'], treeStableTimer: '60s', ...options })
const wants = async (branches: AnyBranchOptions['branches'], branch: string | null) =>
  rulesOf(plugin({ branches })).wants?.(changeOf({ branch }))

describe('anyBranch', () => {
  it('takes all branches, and changes without one, unless told which', async () => {
    for (const branch of ['main', 'x/y', null]) assert.equal(await wants(undefined, branch), true)
  })

  it('takes branches by name, pattern, expression, or several of these', async () => {
    assert.equal(await wants('main', 'main'), true)
    assert.equal(await wants('main', 'mains'), false)
    assert.equal(await wants('feature/*', 'feature/a/b'), true)
    assert.equal(await wants('feature/*', 'feature'), false)
    assert.equal(await wants('a.b', 'a-b'), false)
    assert.equal(await wants(/^release-\d/, 'release-1'), true)
    assert.equal(await wants(/^release-\d/, 'pre-release-1'), false)
    assert.equal(await wants(['main', null], null), true)
    assert.equal(await wants(['main', '*'], null), false)
    assert.equal(await wants(['main', 'fix-*', /x$/], 'fix-7'), true)
    assert.equal(await wants(['main', 'fix-*', /x$/], 'linux'), true)
    assert.equal(await wants(['main', 'fix-*', /x$/], 'bsd'), false)
    const global = /a/g
    for (let i = 0; i < 3; i++) assert.equal(await wants(global, 'a'), true)
  })

  it('judges them as scheduler does', async () => {
    const rules = rulesOf(
      plugin({ fileIsImportant: ({ files }) => files.includes('a.c'), changeFilter: { author: 'jane' } }),
    )
    assert.equal(await rules.wants?.(changeOf({})), true)
    assert.equal(await rules.wants?.(changeOf({ files: [] })), 'unimportant')
    assert.equal(await rules.wants?.(changeOf({ who: 'joe' })), false)
  })

  it('waits for each branch for itself, and wakes for the first', () => {
    const run = follow(plugin())
    run.change(1, 0, { branch: 'a' })
    run.change(2, 10_000, { branch: 'b' })
    run.change(3, 20_000, { branch: 'a' })
    assert.equal(run.wakeAt, 70_000)
    run.until(200_000)
    assert.deepEqual(
      run.built.map(({ at, changes }) => [at, changes]),
      [
        [70_000, [2]],
        [80_000, [1, 3]],
      ],
    )
  })

  it('builds each branch a minute after its last important change, with all that came, whatever the restarts', () => {
    const action = fc.record({
      branch: fc.constantFrom('a', 'b', 'c', null),
      repository: fc.constantFrom('r', 's'),
      important: fc.boolean(),
      later: fc.integer({ min: 0, max: 90_000 }),
      restart: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const lives = [follow(plugin())]
        const treeOf: string[] = []
        const trees = new Map<string, { changes: number[]; until: number | null }>()
        const expected: { at: number; changes: number[] }[] = []
        const due = (now: number) => {
          for (const [key, { changes, until }] of trees) {
            if (until === null || until > now) continue
            expected.push({ at: until, changes })
            trees.delete(key)
          }
        }
        let now = 0
        for (const { branch, repository, important, later, restart } of actions) {
          now += later
          lives.at(-1)!.until(now)
          due(now)
          if (restart) {
            lives.push(lives.at(-1)!.again(plugin()))
            lives.at(-1)!.start(now)
          }
          const key = `${branch} ${repository}`
          const id = treeOf.push(key)
          const tree = trees.getOrInsertComputed(key, () => ({ changes: [], until: null }))
          tree.changes.push(id)
          if (important) tree.until = now + 60_000
          lives.at(-1)!.change(id, now, { branch, repository, important })
        }
        lives.at(-1)!.until(now + 60_000)
        due(now + 60_000)
        const built = lives.flatMap((life) => life.built.map(({ at, changes = [] }) => ({ at, changes: [...changes] })))
        const inOrder = (list: readonly { at: number; changes: number[] }[]) =>
          list.toSorted((a, b) => a.at - b.at || a.changes[0]! - b.changes[0]!)
        assert.deepEqual(inOrder(built), inOrder(expected))
        assert.equal(lives.at(-1)!.wakeAt, null)
      }),
      { seed: 7 },
    )
  })
})
