import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builder, buildFactory, type Change, type Decision, type Json, type SchedulerInput } from 'boltbot/plugin-sdk'
import { type SchedulerOptions, scheduler } from 'boltbot/plugins/schedulers'
import fc from 'fast-check'
import { changeOf, rulesOf } from './follow.ts'

const full = builder({ name: 'full', slaves: ['bot'], factory: buildFactory([]) })

describe('tree-stable scheduler', () => {
  it('waits until no important change came for a while, then builds all together', () => {
    const run = follow({ treeStableTimer: '60s' })
    run.change(1, 0)
    run.change(2, 50_000)
    assert.equal(run.wakeAt, 110_000)
    run.timer(110_000)
    assert.deepEqual(run.built, [[1, 2]])
    assert.equal(run.wakeAt, null)
    assert.equal(run.waiting, null)
  })

  it('keeps unimportant changes for the next important one, without moving its moment', () => {
    const run = follow({ treeStableTimer: '60s' })
    run.change(1, 0, { important: false })
    assert.equal(run.wakeAt, null)
    assert.equal(run.waiting, '1 change waits for an important one')
    run.change(2, 10_000)
    run.change(3, 30_000, { important: false })
    assert.equal(run.wakeAt, 70_000)
    run.timer(70_000)
    assert.deepEqual(run.built, [[1, 2, 3]])
  })

  it('builds each important change at once without a timer', () => {
    for (const treeStableTimer of [null, 0, undefined]) {
      const run = follow({ treeStableTimer })
      run.change(1, 0)
      run.change(2, 1, { important: false })
      run.change(3, 2)
      assert.deepEqual(run.built, [[1], [2, 3]])
    }
  })

  it('builds at once what waits when it is asked to, and nothing when nothing waits', () => {
    const run = follow({ treeStableTimer: '1h' })
    run.now(0)
    assert.deepEqual(run.built, [])
    run.change(1, 0)
    run.now(1)
    assert.deepEqual(run.built, [[1]])
    assert.equal(run.wakeAt, null)
  })

  it('never mixes repositories or branches in one build', () => {
    const run = follow({ treeStableTimer: '60s', changeFilter: { branch: /./ } })
    run.change(1, 0, { branch: 'a' })
    run.change(2, 10_000, { branch: 'b' })
    run.change(3, 20_000, { branch: 'a', repository: 'other' })
    assert.equal(run.wakeAt, 60_000)
    run.timer(60_000)
    assert.equal(run.wakeAt, 70_000)
    run.timer(90_000)
    assert.deepEqual(run.built, [[1], [2], [3]])
  })

  it('says what it waits for in words that stay true', () => {
    const run = follow({ treeStableTimer: '60s' })
    const until = new Date(70_000).toTimeString().slice(0, 8)
    run.change(1, 0)
    run.change(2, 10_000)
    assert.equal(run.waiting, `tree not stable until ${until}, 2 changes wait`)
  })

  it('goes on from its stored state after a restart, at once when the moment passed meanwhile', () => {
    const before = follow({ treeStableTimer: '60s' })
    before.change(1, 0)
    const after = follow({ treeStableTimer: '60s' }, JSON.parse(JSON.stringify(before.state)))
    after.timer(1_000_000)
    assert.deepEqual(after.built, [[1]])
  })

  it('gives its builds reason, properties and priority', () => {
    const run = follow({ properties: { colour: 'red' }, priority: 3 })
    run.change(1, 0)
    assert.deepEqual(run.decision.buildsets, [
      { reason: 'scheduler "tests"', changes: [1], properties: { colour: 'red' }, priority: 3 },
    ])
    const named = follow({ reason: 'because' })
    named.change(1, 0)
    assert.equal(named.decision.buildsets?.[0]?.reason, 'because')
  })

  it('builds each wanted change in exactly one buildset, in order, whatever happens when', () => {
    const action = fc.record({
      what: fc.constantFrom('change', 'unimportant', 'timer', 'now', 'restart'),
      branch: fc.constantFrom('a', 'b'),
      later: fc.integer({ min: 0, max: 100_000 }),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.constantFrom('60s', null), (actions, treeStableTimer) => {
        let run = follow({ treeStableTimer, changeFilter: { branch: ['a', 'b'] } })
        const built: (readonly number[])[] = []
        const branchOf: string[] = []
        let now = 0
        for (const { what, branch, later } of actions) {
          now += later
          // Core gives the timer input no later than the next one.
          if (run.wakeAt !== null && run.wakeAt <= now) run.timer(Math.max(run.wakeAt, now))
          if (what === 'change' || what === 'unimportant') {
            branchOf.push(branch)
            run.change(branchOf.length, now, { branch, important: what === 'change' })
          } else if (what === 'timer') run.timer(now)
          else if (what === 'now') run.now(now)
          else {
            built.push(...run.built)
            run = follow(
              { treeStableTimer, changeFilter: { branch: ['a', 'b'] } },
              JSON.parse(JSON.stringify(run.state)),
              run.wakeAt,
            )
          }
        }
        run.now(now + 1)
        built.push(...run.built)
        assert.deepEqual(
          built.flat().toSorted((a, b) => a - b),
          branchOf.map((_, i) => i + 1),
        )
        for (const ids of built) {
          assert.deepEqual(
            ids,
            ids.toSorted((a, b) => a - b),
          )
          assert.equal(new Set(ids.map((id) => branchOf[id - 1])).size, 1)
        }
        assert.equal(run.wakeAt, null)
      }),
    )
  })
})

describe('which changes a scheduler wants', () => {
  it('takes those of its branch that pass the filter', async () => {
    assert.equal(await wanted({ branch: 'main' }, { branch: 'main' }), true)
    assert.equal(await wanted({ branch: 'main' }, { branch: 'mains' }), false)
    assert.equal(await wanted({ branch: null }, { branch: null }), true)
    assert.equal(await wanted({ branch: null }, { branch: 'main' }), false)
  })

  it('filters by exact text, list, expression, function, and all of them together', async () => {
    const by = (changeFilter: SchedulerOptions['changeFilter'], change: Partial<Change>) =>
      wanted({ branch: 'main', changeFilter }, { branch: 'main', ...change })
    assert.equal(await by({ project: 'hello' }, { project: 'hello' }), true)
    assert.equal(await by({ project: 'hello' }, { project: 'hellos' }), false)
    assert.equal(await by({ category: [null, 'x'] }, { category: null }), true)
    assert.equal(await by({ category: ['x'] }, { category: null }), false)
    assert.equal(await by({ category: /x/ }, { category: null }), false)
    assert.equal(await by({ author: /^jane/ }, { who: 'jane <j@example.org>' }), true)
    assert.equal(await by({ repository: (url) => url === 'r' }, { repository: 'r' }), true)
    assert.equal(
      await by({ repository: 'r', filterFn: (change) => change.files.length > 9 }, { repository: 'r' }),
      false,
    )
    assert.equal(await by({ codebase: 'lib' }, { codebase: 'lib' }), true)
    assert.equal(
      await by({ properties: { urgent: 'true', size: /^4/ } }, { properties: { urgent: true, size: 42 } }),
      true,
    )
    assert.equal(
      await by({ properties: { urgent: 'true', size: '4' } }, { properties: { urgent: true, size: 42 } }),
      false,
    )
    assert.equal(await by({ properties: { urgent: null } }, { properties: {} }), true)
    assert.equal(await by({ properties: { urgent: ['yes', 'now'] } }, { properties: { urgent: 'later' } }), false)
    const global = /a/g
    for (let i = 0; i < 3; i++) assert.equal(await by({ author: global }, { who: 'jane' }), true)
  })

  it('takes a change that says so for unimportant', async () => {
    for (const comments of ['x [ci skip]', '[skip ci] x', 'x\n\n[ Skip  CI ]'])
      assert.equal(await wanted({ branch: 'main' }, { comments }), 'unimportant', comments)
    for (const comments of ['ci skip', '[no ci]', '[skip circus]'])
      assert.equal(await wanted({ branch: 'main' }, { comments }), true, comments)
    assert.equal(await wanted({ branch: 'main', onlyImportant: true }, { comments: '[ci skip]' }), false)
    assert.equal(await wanted({ branch: 'main', skips: [] }, { comments: '[ci skip]' }), true)
    const skips = [/\[wip\]/g]
    for (let i = 0; i < 3; i++)
      assert.equal(await wanted({ branch: 'main', skips }, { comments: 'x [wip]' }), 'unimportant')
  })

  it('asks fileIsImportant, which may take its time', async () => {
    const fileIsImportant = async (change: Change) => change.files.some((file) => !file.startsWith('docs/'))
    assert.equal(await wanted({ branch: 'main', fileIsImportant }, { files: ['docs/a'] }), 'unimportant')
    assert.equal(await wanted({ branch: 'main', fileIsImportant }, { files: ['docs/a', 'b'] }), true)
    assert.equal(await wanted({ branch: 'main', fileIsImportant, onlyImportant: true }, { files: ['docs/a'] }), false)
  })
})

describe('scheduler options', () => {
  it('names the plugin by its name and its builders by theirs', async () => {
    const plugin = scheduler({ name: 'tests', branch: 'main', builders: [full, 'quick', full] })
    assert.equal(plugin.id, 'tests')
    assert.deepEqual(rulesOf(plugin).builders, ['full', 'quick'])
  })

  it('refuses what cannot be meant, in words', () => {
    const problems = (options: object) => {
      const checked = scheduler(options as never).definition.schema?.['~standard'].validate(options)
      return checked instanceof Promise ? [] : (checked?.issues?.map(({ message }) => message) ?? [])
    }
    const good = { name: 'x', branch: 'main', builders: ['full'] }
    assert.deepEqual(problems(good), [])
    assert.deepEqual(problems({ ...good, branch: undefined }), ["Name the branch it follows, as in branch: 'main'."])
    assert.deepEqual(problems({ ...good, builders: [] }), ['Give at least one builder.'])
    assert.deepEqual(problems({ ...good, builders: [undefined] }), ['Give a builder or the name of one.'])
    assert.match(problems({ ...good, treeStableTimer: 'a while' })[0] ?? '', /^Give seconds, or text such as/)
    assert.match(problems({ ...good, changeFilter: { branch: 3 } })[0] ?? '', /^Give a text, a list of texts/)
    assert.equal(problems({ ...good, treeStableTime: 3 }).length, 1)
  })
})

/** Runs the rules as core does: one input after the other. */
function follow(options: Partial<SchedulerOptions>, stored?: Json, wakeAt: number | null = null) {
  const rules = rulesOf(scheduler({ name: 'tests', branch: 'main', builders: [full], ...options }))
  const run = {
    state: stored ?? rules.initial,
    wakeAt,
    waiting: null as string | null,
    decision: { state: null } as Decision<Json>,
    built: [] as (readonly number[])[],
    feed(input: SchedulerInput, now: number) {
      run.decision = rules.decide(input, run.state, now)
      run.state = structuredClone(run.decision.state)
      run.wakeAt = run.decision.wakeAt ?? null
      run.waiting = run.decision.waiting ?? null
      for (const { changes = [] } of run.decision.buildsets ?? []) run.built.push(changes)
    },
    change(id: number, now: number, { important = true, ...fields }: Partial<Change> & { important?: boolean } = {}) {
      run.feed({ kind: 'change', change: changeOf({ id, ...fields }), important }, now)
    },
    timer: (now: number) => run.feed({ kind: 'timer' }, now),
    now: (now: number) => run.feed({ kind: 'now' }, now),
  }
  return run
}

async function wanted(options: Partial<SchedulerOptions>, fields: Partial<Change>) {
  const rules = rulesOf(scheduler({ name: 'tests', builders: [full], ...options }))
  return rules.wants?.(changeOf({ branch: 'main', ...fields }))
}
