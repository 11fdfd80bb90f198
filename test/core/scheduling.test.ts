import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, slave } from 'boltbot/plugin-sdk'
import { scheduler } from 'boltbot/plugins/schedulers'
import { commit, sh } from '../rig/parts.ts'
import { createRig, type RigOptions } from '../rig/rig.ts'

const config = (schedulers: RigOptions['schedulers']): RigOptions => ({
  slaves: [slave({ name: 'bot', password: 'x' })],
  builders: [builder({ name: 'full', slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]) })],
  schedulers: schedulers ?? [],
})
const tests = scheduler({ name: 'tests', branch: 'main', treeStableTimer: '5m', builders: ['full'] })

test('the tree must be stable: each change starts the timer anew, then all are built together', async () => {
  await using rig = await createRig(config([tests]))
  await rig.slave('bot')
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.clock.advance('4m')
  await rig.master.submitChange(commit('r2'), 'test')
  await rig.clock.advance('4m')
  assert.deepEqual(await rig.story('buildsetCreated'), [])
  assert.match(rig.master.schedulers()[0]?.waiting ?? '', /tree not stable until .*2 changes/)
  await rig.clock.advance('1m')
  await rig.settle()
  assert.deepEqual((await rig.build('full', 0)).sourceStamp.changes, [1, 2])
  assert.equal(rig.master.schedulers()[0]?.waiting, null)
})

test('the timer goes on over a restart of the master, and fires at once when its time passed meanwhile', async () => {
  const rig = await createRig(config([tests]))
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  const next = await rig.restart()
  assert.deepEqual(await next.story('buildsetCreated'), [])
  await next.clock.advance('6m')
  assert.deepEqual(await next.story('buildsetCreated'), ['buildsetCreated'])
  await next.master.submitChange(commit('r2'), 'test')
  await next.settle()
  await next.master.stop()
})

test('the timer also goes on over a reconfigure with another timer', async () => {
  await using rig = await createRig(config([tests]))
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  await rig.reconfigure(
    config([scheduler({ name: 'tests', branch: 'main', treeStableTimer: '1h', builders: ['full'] })]),
  )
  await rig.clock.advance('5m')
  assert.deepEqual(await rig.story('buildsetCreated'), ['buildsetCreated'])
})

test('somebody who does not want to wait gets the build now', async () => {
  await using rig = await createRig(config([tests]))
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.settle()
  assert.deepEqual(await rig.master.runNow('tests', { who: 'jane', via: 'test' }), { buildsets: 1 })
  await rig.clock.advance('10m')
  assert.deepEqual(await rig.story('buildsetCreated'), ['buildsetCreated'])
})

test('changes of other branches are not for it', async () => {
  await using rig = await createRig(config([tests]))
  await rig.master.submitChange(commit('r1', { branch: 'other' }), 'test')
  await rig.clock.advance('10m')
  assert.deepEqual(await rig.story('buildsetCreated'), [])
})

const odd = (how: 'wants' | 'decide') =>
  definePlugin({
    name: 'odd',
    kind: 'scheduler',
    needs: ['schedulers'],
    apply(host) {
      host.registerScheduler({
        name: 'odd',
        builders: ['full'],
        initial: null,
        wants() {
          if (how === 'wants') throw new Error('wants broke')
          return true
        },
        decide(input) {
          if (how === 'decide' && input.kind === 'change' && input.change.revision === 'r1')
            throw new Error('decide broke')
          if (input.kind !== 'change') return { state: null }
          return { state: null, buildsets: [{ reason: `${input.change.revision}`, changes: [input.change.id] }] }
        },
      })
    },
  })()

test('a scheduler that cannot judge a change takes it as important', async () => {
  await using rig = await createRig(config([odd('wants')]))
  await rig.master.submitChange(commit('r1'), 'test')
  assert.equal((await rig.story('buildsetCreated')).length, 1)
  assert.ok(rig.log.lines.some((line) => line.message.includes('could not judge a change')))
})

test('a scheduler that fails on a change harms neither itself later nor the others', async () => {
  await using rig = await createRig(
    config([odd('decide'), scheduler({ name: 'tests', treeStableTimer: null, branch: 'main', builders: ['full'] })]),
  )
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.master.submitChange(commit('r2'), 'test')
  await rig.settle()
  const asked = rig.events.flatMap((one) =>
    one.name === 'buildsetCreated' ? [`${one.event.scheduler} ${one.event.changes}`] : [],
  )
  assert.deepEqual(asked.sort(), ['odd 2', 'tests 1', 'tests 2'])
})

test('a decision that could not be stored is made again: no change is skipped', async () => {
  await using rig = await createRig(
    config([scheduler({ name: 'tests', treeStableTimer: null, branch: 'main', builders: ['full'] })]),
  )
  const { transition } = rig.store
  let failures = 1
  const flaky: typeof transition = (name, body) =>
    name === 'saveDecision' && failures-- > 0 ? Promise.reject(new Error('disk full')) : transition(name, body)
  Object.assign(rig.store, { transition: flaky })
  await rig.master.submitChange(commit('r1'), 'test')
  await rig.master.submitChange(commit('r2'), 'test')
  await rig.clock.advance('6s')
  await rig.settle()
  const asked = rig.events.flatMap((one) => (one.name === 'buildsetCreated' ? one.event.changes : []))
  assert.deepEqual(asked, [1, 2])
})

test('each change reaches a scheduler once, whatever the kills', async () => {
  let rig = await createRig(
    config([scheduler({ name: 'tests', treeStableTimer: null, branch: 'main', builders: ['full'] })]),
  )
  for (let n = 1; n <= 12; n++) {
    await rig.master.submitChange(commit(`r${n}`), 'test')
    if (n % 3 === 0) rig = await rig.restart()
    else if (n % 2 === 0) await rig.settle()
  }
  await rig.settle()
  const rows = await rig.store.db.selectFrom('buildsets').select('source_stamp').execute()
  const built = rows.flatMap((row) => (JSON.parse(row.source_stamp) as { changes: number[] }).changes)
  assert.deepEqual(
    built.sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, i) => i + 1),
  )
  await rig.master.stop()
})
