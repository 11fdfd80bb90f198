import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builder, buildFactory, type MasterConfig, slave } from 'boltbot/plugin-sdk'
import { anyBranch, dependent, nightly, periodic, scheduler } from 'boltbot/plugins/schedulers'
import { commit, sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

const config = (...schedulers: NonNullable<MasterConfig['options']['schedulers']>): RigOptions => ({
  slaves: [slave({ name: 'bot', password: 'x' })],
  builders: ['full', 'tarball'].map((name) =>
    builder({ name, slaves: ['bot'], factory: buildFactory([sh({ command: `make ${name}` })]) }),
  ),
  schedulers,
})

/** The buildsets so far: `tests [1,2]`. */
const created = async (rig: Rig) => {
  await rig.settle()
  const rows = await rig.store.db.selectFrom('buildsets').select(['scheduler', 'source_stamp']).orderBy('id').execute()
  return rows.map((row) => {
    const { branch, changes } = JSON.parse(row.source_stamp) as { branch: string | null; changes: number[] }
    return `${row.scheduler} ${branch} [${changes}]`
  })
}
const waking = (rig: Rig) => {
  const [first] = rig.master.schedulers()
  return first?.wakeAt == null ? null : new Date(first.wakeAt).toISOString().slice(0, 16)
}
/** From now on nothing that a scheduler decides is stored, as if its master were gone; until the result is called. */
const takeDown = (rig: Rig) => {
  const { transition } = rig.store
  const down: typeof transition = (name, body) =>
    name === 'saveDecision' || name === 'openScheduler' ? Promise.reject(new Error('gone')) : transition(name, body)
  Object.assign(rig.store, { transition: down })
  return () => void Object.assign(rig.store, { transition })
}

// The clock of a rig begins on 2001-09-09 at 01:46:40 UTC, a Sunday.

describe('anyBranch, over the life of a master', () => {
  const all = anyBranch({ name: 'all', treeStableTimer: '5m', builders: ['full'] })

  it('keeps the timer of each branch over a kill', async () => {
    const rig = await createRig(config(all))
    await rig.master.submitChange(commit('r1', { branch: 'a' }), 'test')
    await rig.clock.advance('2m')
    await rig.master.submitChange(commit('r2', { branch: 'b' }), 'test')
    await rig.settle()
    await using next = await rig.restart()
    await next.clock.advance('3m')
    assert.deepEqual(await created(next), ['all a [1]'])
    await next.clock.advance('2m')
    assert.deepEqual(await created(next), ['all a [1]', 'all b [2]'])
  })

  it('builds what waited when its branches are changed, and no more of those that are gone', async () => {
    await using rig = await createRig(config(all))
    await rig.master.submitChange(commit('r1', { branch: 'a' }), 'test')
    await rig.settle()
    await rig.reconfigure(config(anyBranch({ name: 'all', branches: 'b*', treeStableTimer: '1m', builders: ['full'] })))
    await rig.master.submitChange(commit('r2', { branch: 'a' }), 'test')
    await rig.master.submitChange(commit('r3', { branch: 'b/x' }), 'test')
    await rig.clock.advance('1h')
    assert.deepEqual(await created(rig), ['all b/x [3]', 'all a [1]'])
  })
})

describe('dependent, over the life of a master', () => {
  const tests = scheduler({ name: 'tests', branch: 'main', builders: ['full'] })
  const packages = dependent({ name: 'package', upstream: tests, builders: ['tarball'] })

  it('builds the same source stamp after its upstream, and nothing after a failure', async () => {
    await using rig = await createRig(config(tests, packages))
    await rig.slave('bot', [{ match: 'make full', times: 1, result: 2 }])
    await rig.master.submitChange(commit('r1'), 'test')
    await rig.settle()
    assert.deepEqual(await created(rig), ['tests main [1]'])
    await rig.master.submitChange(commit('r2'), 'test')
    await rig.settle()
    assert.deepEqual(await created(rig), ['tests main [1]', 'tests main [2]', 'package main [2]'])
    const [upstream, downstream] = [await rig.build('full', 1), await rig.build('tarball', 0)]
    assert.deepEqual(downstream.sourceStamp, upstream.sourceStamp)
    assert.equal(downstream.sourceStamp.revision, 'r2')
    assert.deepEqual(downstream.blamelist, ['jane'])
  })

  it('builds when the master was gone before it could, and once', async () => {
    const rig = await createRig(config(tests, packages))
    await rig.master.submitChange(commit('r1'), 'test')
    await rig.settle()
    const comeBack = takeDown(rig)
    await rig.slave('bot')
    await rig.settle()
    assert.deepEqual(await created(rig), ['tests main [1]'])
    comeBack()
    const next = await rig.restart()
    assert.deepEqual(await created(next), ['tests main [1]', 'package main [1]'])
    await using last = await next.restart()
    await last.clock.advance('1h')
    assert.deepEqual(await created(last), ['tests main [1]', 'package main [1]'])
  })

  it('does not miss what its upstream builds while the config is changed', async () => {
    await using rig = await createRig(config(tests, packages))
    const bot = await rig.slave('bot', [{ match: 'make full', hang: true }])
    await rig.master.submitChange(commit('r1'), 'test')
    await rig.settle()
    await rig.reconfigure(
      config(tests, dependent({ name: 'package', upstream: 'tests', builders: ['tarball', 'full'] })),
    )
    bot.finish()
    await rig.settle()
    assert.deepEqual(await created(rig), ['tests main [1]', 'package main [1]'])
    assert.equal((await rig.build('tarball', 0)).result, 'success')
  })
})

describe('periodic, over the life of a master', () => {
  const often = periodic({ name: 'often', branch: 'main', periodicBuildTimer: '30m', builders: ['full'] })

  it('goes on counting over a kill and builds once when it is overdue', async () => {
    const rig = await createRig(config(often))
    assert.deepEqual(await created(rig), ['often main []'])
    await rig.clock.advance('20m')
    const next = await rig.restart()
    assert.equal((await created(next)).length, 1)
    assert.equal(waking(next), '2001-09-09T02:16')
    await next.clock.advance('10m')
    assert.equal((await created(next)).length, 2)
    const comeBack = takeDown(next)
    await next.clock.advance('100m')
    comeBack()
    await using last = await next.restart()
    assert.equal((await created(last)).length, 3)
    await last.clock.advance('29m')
    assert.equal((await created(last)).length, 3)
    await last.clock.advance('1m')
    assert.equal((await created(last)).length, 4)
  })

  it('counts from when somebody wanted it now, and with another period from its last build', async () => {
    await using rig = await createRig(config(often))
    await rig.clock.advance('10m')
    assert.deepEqual(await rig.master.runNow('often', { who: 'jane', via: 'test' }), { buildsets: 1 })
    assert.equal(waking(rig), '2001-09-09T02:26')
    await rig.reconfigure(
      config(periodic({ name: 'often', branch: 'main', periodicBuildTimer: '1h', builders: ['full'] })),
    )
    assert.equal(waking(rig), '2001-09-09T02:56')
    await rig.reconfigure(
      config(nightly({ name: 'often', branch: 'main', hour: 5, timeZone: 'UTC', builders: ['full'] })),
    )
    assert.equal(waking(rig), '2001-09-09T05:00')
    assert.equal((await created(rig)).length, 2)
  })
})

describe('nightly, over the life of a master', () => {
  const at3 = nightly({ name: 'night', branch: 'main', hour: 3, timeZone: 'UTC', builders: ['full'] })

  it('builds each night once, and tells when the next time is', async () => {
    await using rig = await createRig(config(at3))
    await rig.settle()
    assert.equal(rig.master.schedulers()[0]?.waiting, 'next build at 2001-09-09 03:00:00 UTC')
    await rig.clock.advance('73m')
    assert.deepEqual(await created(rig), [])
    await rig.clock.advance('1m')
    assert.deepEqual(await created(rig), ['night main []'])
    assert.equal(waking(rig), '2001-09-10T03:00')
    assert.deepEqual(await rig.master.runNow('night', { who: 'jane', via: 'test' }), { buildsets: 1 })
    await rig.clock.advance('1d')
    assert.equal((await created(rig)).length, 3)
  })

  for (const catchUp of [true, false]) {
    it(`${catchUp ? 'makes up once' : 'does not make up'} for the nights when the master was down, if told so`, async () => {
      const options = config(
        nightly({ name: 'night', branch: 'main', hour: [3, 4], timeZone: 'UTC', catchUp, builders: ['full'] }),
      )
      const rig = await createRig(options)
      const comeBack = takeDown(rig)
      await rig.clock.advance('4h')
      comeBack()
      await using next = await rig.restart()
      assert.equal((await created(next)).length, catchUp ? 1 : 0)
      assert.equal(waking(next), '2001-09-10T03:00')
      await next.clock.advance('22h')
      assert.equal((await created(next)).length, catchUp ? 2 : 1)
    })
  }

  it('builds what changed, with changes of a time when the master was down', async () => {
    const changed = nightly({
      name: 'night',
      branch: 'main',
      onlyIfChanged: true,
      hour: 3,
      timeZone: 'UTC',
      builders: ['full'],
    })
    const rig = await createRig(config(changed))
    await rig.master.submitChange(commit('r1'), 'test')
    await rig.settle()
    const comeBack = takeDown(rig)
    await rig.master.submitChange(commit('r2'), 'test')
    await rig.settle()
    comeBack()
    await using next = await rig.restart()
    await next.clock.advance('2h')
    assert.deepEqual(await created(next), ['night main [1,2]'])
    await next.clock.advance('2d')
    assert.equal((await created(next)).length, 1)
  })

  it('follows a clock that is set: it looks at least once a minute', async () => {
    await using rig = await createRig(config(at3))
    await rig.settle()
    const { now } = rig.clock
    Object.assign(rig.clock, { now: () => now() + 3_600_000 })
    await rig.clock.advance('13m')
    assert.equal((await created(rig)).length, 0)
    await rig.clock.advance('2m')
    assert.equal((await created(rig)).length, 1)
  })

  it('is not touched by a reconfigure that leaves it as it is', async () => {
    await using rig = await createRig(config(at3))
    await rig.settle()
    const version = async () =>
      (
        await rig.store.db
          .selectFrom('schedulers')
          .select('version')
          .where('name', '=', 'night')
          .executeTakeFirstOrThrow()
      ).version
    const before = await version()
    const again = nightly({ name: 'night', branch: 'main', hour: 3, timeZone: 'UTC', builders: ['full'] })
    await rig.reconfigure(config(again, periodic({ name: 'more', periodicBuildTimer: '1d', builders: ['full'] })))
    assert.equal(await version(), before)
    assert.equal(waking(rig), '2001-09-09T03:00')
  })
})
