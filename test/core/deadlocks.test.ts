import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builder, buildFactory, type LockAccess, masterLock, slave, slaveLock } from 'boltbot/plugin-sdk'
import { triggerable } from 'boltbot/plugins/schedulers'
import { trigger } from 'boltbot/plugins/steps'
import { findDeadlocked, type Place, type WaitGraph, type WaitingBuild } from '../../core/locks/wait-graph.ts'
import type { LockNeed } from '../../core/locks.ts'
import { sh } from '../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../rig/rig.ts'

const need = (name: string, mode: LockNeed['mode'] = 'exclusive', capacity = 1): LockNeed => ({
  scope: { name, capacity },
  mode,
})
const build = (id: number, over: Partial<WaitingBuild> = {}): WaitingBuild => ({
  id,
  label: `b #${id}`,
  locks: [],
  requests: [],
  ...over,
})
const waitsFor = (builder: string, ...places: readonly Place[]) => ({ id: 9, builder, build: null, places })
const on = (slave: string, takenBy: readonly number[] | null, ...locks: readonly LockNeed[]): Place => ({
  slave,
  takenBy,
  locks,
})
function ids(
  builds: readonly WaitingBuild[],
  held: Readonly<Record<string, readonly (readonly [number, LockNeed['mode']])[]>> = {},
) {
  const users: WaitGraph['users'] = (scope) => (held[scope] ?? []).map(([build, mode]) => ({ build, mode }))
  return findDeadlocked({ builds, users }).map(({ id }) => id)
}

describe('a wait-for graph', () => {
  it('is no circle as long as somebody in it can end', () => {
    const locks = [need('x')]
    assert.deepEqual(ids([build(1), build(2, { locks })], { x: [[1, 'exclusive']] }), [])
    assert.deepEqual(ids([build(2, { locks })], { x: [[7, 'exclusive']] }), [], 'one that is just ending')
    const chain = [build(1), build(2, { locks: [need('x')] }), build(3, { locks: [need('y')] })]
    assert.deepEqual(ids(chain, { x: [[1, 'exclusive']], y: [[2, 'exclusive']] }), [])
  })

  it('finds crosswise locks', () => {
    const builds = [build(1, { locks: [need('y')] }), build(2, { locks: [need('x')] }), build(3)]
    assert.deepEqual(ids(builds, { x: [[1, 'exclusive']], y: [[2, 'exclusive']] }), [1, 2])
  })

  it('knows that a counting lock is had when one of its holders ends, an exclusive one when all do', () => {
    const held = {
      x: [
        [1, 'counting'],
        [2, 'counting'],
      ] as const,
    }
    assert.deepEqual(ids([build(1), build(2, { locks: [need('x', 'counting', 2)] })], held), [])
    assert.deepEqual(ids([build(1), build(2, { locks: [need('x')] })], held), [2])
    assert.deepEqual(ids([build(1), build(2, { locks: [need('x', 'counting', 3)] })], { x: [[2, 'counting']] }), [])
  })

  it('finds a build that waits for what needs its own slave or lock, unless there is another way', () => {
    assert.deepEqual(ids([build(1, { requests: [waitsFor('c', on('s', [1]))] })]), [1])
    assert.deepEqual(ids([build(1, { requests: [waitsFor('c', on('s', [1]), on('t', null))] })]), [])
    assert.deepEqual(
      ids([build(2), build(1, { requests: [waitsFor('c', on('s', [1, 2]))] })]),
      [],
      'another build leaves',
    )
    const locked = [build(1, { requests: [waitsFor('c', on('t', null, need('x')))] })]
    assert.deepEqual(ids(locked, { x: [[1, 'exclusive']] }), [1])
    assert.deepEqual(ids([build(1, { requests: [{ ...waitsFor('c'), build: 2 }] }), build(2)]), [])
  })

  it('tells the way round', () => {
    const builds = [
      build(1, { requests: [{ ...waitsFor('c'), build: 2 }] }),
      build(2, { requests: [waitsFor('d', on('s', [1]), on('t', null, need('x')))] }),
    ]
    const found = findDeadlocked({ builds, users: () => [{ build: 1, mode: 'exclusive' }] })
    assert.deepEqual(
      found.map(({ why }) => why),
      [
        'b #1 waits for b #2, which it triggered',
        'b #2 waits for request 9 of d, which waits for slave s, busy with b #1, or for lock x, held by b #1',
      ],
    )
  })
})

interface Shape {
  readonly childSlaves?: readonly string[]
  readonly parentLocks?: readonly LockAccess[]
  readonly childLocks?: readonly LockAccess[]
  readonly maxBuilds?: number
}
function config({ childSlaves = ['one'], parentLocks = [], childLocks = [], maxBuilds = 1 }: Shape): RigOptions {
  const packages = triggerable({ name: 'packages', builders: ['child'] })
  const steps = [trigger({ schedulerNames: [packages], waitForFinish: true }), sh({ command: 'after' })]
  return {
    slaves: ['one', 'two'].map((name) => slave({ name, password: 'x', maxBuilds })),
    builders: [
      builder({ name: 'parent', slaves: ['one'], locks: parentLocks, factory: buildFactory(steps) }),
      builder({
        name: 'child',
        slaves: childSlaves,
        locks: childLocks,
        factory: buildFactory([sh({ command: 'make' })]),
      }),
    ],
    schedulers: [packages],
  }
}
async function force(rig: Rig): Promise<void> {
  await rig.master.force({ builder: 'parent', who: 'jane', reason: 'x' }, 'test')
  await rig.settle()
  for (let i = 0; i < 4; i++) {
    await rig.clock.advance(5000)
    await rig.settle()
  }
}

describe('a deadlock', () => {
  it('of a build that waits for what only its own slave can build ends it, with the reason; what it triggered is built', async () => {
    await using rig = await createRig(config({}))
    await rig.slave('one')
    await force(rig)
    const parent = await rig.build('parent', 0)
    assert.equal(parent.result, 'exception')
    assert.equal(
      parent.text.join(' '),
      'The build was ended, as it would have waited for ever: parent #0 waits for request 2 of child, which waits for slave one, busy with parent #0.',
    )
    assert.equal((await rig.build('child', 0)).result, 'success')
  })

  it('over a lock ends the build that holds it', async () => {
    const db = masterLock('db')
    await using rig = await createRig(
      config({ childSlaves: ['two'], parentLocks: [db.access('exclusive')], childLocks: [db.access('exclusive')] }),
    )
    await rig.slave('one')
    await rig.slave('two')
    await force(rig)
    assert.match((await rig.build('parent', 0)).text.join(), /waits for lock db, held by parent #0/)
    assert.equal((await rig.build('child', 0)).result, 'success')
  })

  it('is none while a slave may come that could build it, or there is room', async () => {
    for (const shape of [{ childSlaves: ['one', 'two'] }, { maxBuilds: 2 }]) {
      await using rig = await createRig(config(shape))
      const one = await rig.slave('one', [{ match: 'make', hang: true }])
      await force(rig)
      assert.equal((await rig.build('parent', 0)).result, null, JSON.stringify(shape))
      if (shape.maxBuilds === undefined) await rig.slave('two')
      else one.finish()
      await rig.settle()
      assert.equal((await rig.build('parent', 0)).result, 'success')
    }
  })
})

describe('the locks of a master', () => {
  it('are shown with who holds and who waits', async () => {
    const [db, cpu] = [masterLock('db'), slaveLock('cpu', { maxCount: 2 })]
    const names = ['a', 'b', 'c']
    await using rig = await createRig({
      slaves: [slave({ name: 'one', password: 'x' })],
      builders: names.map((name) =>
        builder({
          name,
          slaves: ['one'],
          locks: [cpu, ...(name === 'c' ? [] : [db.access('exclusive')])],
          factory: buildFactory([sh({ command: `make ${name}` })]),
        }),
      ),
    })
    const one = await rig.slave('one', [{ match: 'make', hang: true }])
    assert.deepEqual(await rig.master.query.locks(), [])
    for (const name of names) {
      await rig.master.force({ builder: name, who: 'jane', reason: 'x' }, 'test')
      await rig.settle()
    }
    const [first, second] = await rig.master.query.locks()
    const user = (who: string, mode: string, build: number | null) => ({ who, mode, build })
    assert.deepEqual(first, {
      name: 'cpu@one',
      capacity: 2,
      holders: [user('a #0', 'counting', 1)],
      waiting: [user('b (starting)', 'counting', null), user('c (starting)', 'counting', null)], // nobody is passed
    })
    assert.deepEqual(second, {
      name: 'db',
      capacity: 1,
      holders: [user('a #0', 'exclusive', 1)],
      waiting: [user('b (starting)', 'exclusive', null)],
    })
    one.drop('end')
  })
})
