import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRetention } from '../../../core/store/retention.ts'
import { type ChatRig, chatConfig, createChatRig, openPlace } from './rig.ts'

const DAY = 86_400_000
const EVER = {
  builds: { ageMs: null, count: null },
  logs: { ageMs: null, count: null },
  changes: { ageMs: null, count: null },
  journal: { ageMs: null },
}

const stored = async ({ rig }: ChatRig) =>
  (await rig.store.db.selectFrom('followers').selectAll().execute()).map(({ place, name, request_id }) => [
    place,
    name,
    request_id,
  ])

test('who forced or watches a build is told its end, once, by the master that takes it over after a kill', async () => {
  await using talk = await createChatRig()
  const slave = await talk.rig.slave('bot-1', [{ match: 'make', hang: true }])
  await talk.ask('force build full')
  await talk.rig.settle()
  await talk.ask('watch full', 'joe')
  await talk.ask('watch full', 'joe')
  await using again = openPlace(await talk.rig.restart())
  await slave.attach(again.rig.door)
  assert.deepEqual(await again.news(), [], 'of the start they know')
  slave.finish()
  assert.deepEqual((await again.news()).toSorted(), [
    'jane: build full #0 has ended after 0s: success',
    'joe: build full #0 has ended after 0s: success',
  ])
  assert.deepEqual(await stored(again), [])
  await using third = openPlace(await again.rig.restart())
  assert.deepEqual(await third.news(), [])
})

test('a request that waits over a kill is told when it starts and when it has ended', async () => {
  await using talk = await createChatRig()
  await talk.ask('force build full')
  await using again = openPlace(await talk.rig.restart())
  await again.rig.slave('bot-1')
  assert.deepEqual(await again.news(), [
    'jane: build full #0 has started on bot-1',
    'jane: build full #0 has ended after 0s: success',
  ])
})

test('what happened while the place was closed is told when it opens; of one build once', async () => {
  await using talk = await createChatRig()
  const { rig } = talk
  await talk.ask('force build full')
  await talk.ask('force build full again')
  await talk.ask('force build docs')
  talk.chat[Symbol.dispose]()
  await rig.slave('bot-1')
  const slave = await rig.slave('bot-2', [{ match: 'tex', hang: true }])
  await rig.settle()
  await rig.clock.advance('1h')
  const later = openPlace(rig)
  assert.deepEqual((await later.news()).toSorted(), [
    'jane: build docs #0 has started on bot-2',
    'jane: build full #0 has ended after 0s: success',
  ])
  later.chat[Symbol.dispose]()
  slave.finish()
  await rig.settle()
  assert.deepEqual(await openPlace(rig).news(), ['jane: build docs #0 has ended after 1h: success'])
  assert.deepEqual(await openPlace(rig).news(), [])
})

test('a line that a place could not hand over before it closed is told in the next one; one that it gave up is not', async () => {
  await using talk = await createChatRig(chatConfig(), { announce: () => assert.fail('a promise is no news') })
  const { rig } = talk
  talk.chat[Symbol.dispose]()
  const handed = Promise.withResolvers<boolean>()
  const slow = openPlace(rig, { tell: () => handed.promise })
  await slow.ask('force build full')
  await rig.slave('bot-1')
  await rig.settle()
  slow.chat[Symbol.dispose]()
  handed.resolve(false)
  await rig.settle()
  const told: string[] = []
  const lost = openPlace(rig, { tell: async (name, text) => told.push(`${name} ${text}`) < 0 })
  await rig.settle()
  assert.deepEqual(told, ['jane build full #0 has ended after 0s: success'])
  lost.chat[Symbol.dispose]()
  assert.deepEqual(await openPlace(rig).news(), [])
})

test('a build that was interrupted is told as that by the master behind a kill, and then its next start and end', async () => {
  await using talk = await createChatRig()
  const slave = await talk.rig.slave('bot-1', [{ match: 'make', hang: true }])
  await talk.ask('force build full')
  await talk.rig.settle()
  talk.chat[Symbol.dispose]()
  slave.crash()
  await using again = openPlace(await talk.rig.restart())
  await again.rig.settle()
  await again.rig.clock.advance('1h')
  assert.deepEqual(await again.news(), ['jane: build full #0 was interrupted; it is built again'])
  await again.rig.slave('bot-1')
  assert.deepEqual(await again.news(), [
    'jane: build full #1 has started on bot-1',
    'jane: build full #1 has ended after 0s: success',
  ])
})

test('followers of a request that is cancelled are told and forgotten, also when the place is closed then', async () => {
  await using talk = await createChatRig()
  const { rig } = talk
  await talk.ask('force build full')
  await talk.ask('force build docs')
  talk.chat[Symbol.dispose]()
  await rig.master.cancel({ request: 1, who: 'joe', reason: 'no' }, 'test')
  await rig.settle()
  const later = openPlace(rig)
  assert.deepEqual(await later.news(), ['jane: request #1 was cancelled'])
  assert.deepEqual(await stored(later), [['test/#hello', 'jane', 2]])
  await later.ask('cancel #2')
  assert.deepEqual(await later.news(), [])
  assert.deepEqual(await stored(later), [])
})

test('who waits in a place that does not come back is forgotten a day behind the build, or with its record', async () => {
  await using talk = await createChatRig()
  const { rig } = talk
  const { store, logStore, clock, log } = rig
  const retention = createRetention({ store, logs: logStore, clock, log, spec: () => EVER })
  await talk.ask('force build full')
  await talk.ask('force build docs')
  talk.chat[Symbol.dispose]()
  await rig.slave('bot-1')
  await rig.settle()
  await rig.clock.advance(DAY - 1000)
  await retention.run()
  assert.equal((await stored(talk)).length, 2)
  await rig.clock.advance(2000)
  assert.deepEqual(await openPlace(rig).news(), [])
  await retention.run()
  assert.deepEqual(await stored(talk), [['test/#hello', 'jane', 2]], 'that one still waits')
})
