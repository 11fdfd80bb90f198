import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { commit, each, sh } from '../rig/parts.ts'
import { createRig } from '../rig/rig.ts'

const config = {
  slaves: [slave({ name: 'bot-1', password: 'x' }), slave({ name: 'bot-2', password: 'x' })],
  builders: [
    builder({ name: 'full', slaves: ['bot-1'], factory: buildFactory([sh({ command: 'make' })]) }),
    builder({ name: 'docs', slaves: ['bot-2'], factory: buildFactory([sh({ command: 'make docs' })]) }),
  ],
  schedulers: [each({ builders: ['full', 'docs'] })],
}

test('builds are found by builder, slave and change, page by page', async () => {
  await using rig = await createRig(config)
  await rig.slave('bot-1')
  await rig.slave('bot-2')
  for (const revision of ['r1', 'r2', 'r3']) {
    await rig.master.submitChange(commit(revision), 'test')
    await rig.settle()
  }
  const { query } = rig.master
  const names = async (filter: Parameters<typeof query.builds>[0]) =>
    (await query.builds(filter)).map((build) => `${build.builder}/${build.number} ${build.sourceStamp.revision}`)
  assert.deepEqual(await names({ builder: 'full', limit: 2 }), ['full/2 r3', 'full/1 r2'])
  const [, second] = await query.builds({ builder: 'full', limit: 2 })
  assert.deepEqual(await names({ builder: 'full', before: second!.id }), ['full/0 r1'])
  assert.deepEqual(await names({ slave: 'bot-2', limit: 1 }), ['docs/2 r3'])
  const [, change] = await query.changes()
  assert.deepEqual((await names({ change: change!.id })).toSorted(), ['docs/1 r2', 'full/1 r2'])
  assert.deepEqual(
    (await query.changes({ before: change!.id })).map((one) => one.revision),
    ['r1'],
  )
  assert.deepEqual(await query.builds({ change: 999 }), [])
})

test('buildsets are found by whether they have finished, the newest first', async () => {
  await using rig = await createRig(config)
  await rig.slave('bot-1')
  await rig.master.force({ builder: 'full', who: 'jane', reason: 'one' }, 'test')
  await rig.settle()
  for (const reason of ['two', 'three']) await rig.master.force({ builder: 'docs', who: 'jane', reason }, 'test')
  const { query } = rig.master
  const reasons = async (filter: Parameters<typeof query.buildsets>[0]) =>
    (await query.buildsets(filter)).map(({ reason, requests }) => `${reason} ${requests}`)
  assert.deepEqual(await reasons({}), ['three 3', 'two 2', 'one 1'])
  assert.deepEqual(await reasons({ running: true }), ['three 3', 'two 2'])
  assert.deepEqual(await reasons({ running: false }), ['one 1'])
  assert.deepEqual(await reasons({ limit: 1 }), ['three 3'])
})

test('a log is read by parts and by lines, while its step runs and after', async () => {
  await using rig = await createRig(config)
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true, output: 'one\ntwo\n' }])
  await rig.master.force({ builder: 'full', who: 'jane', reason: 'look' }, 'test')
  await rig.settle()
  const { query } = rig.master
  const place = { build: (await rig.build('full', 0)).id, step: 0, log: 'stdio' }
  assert.deepEqual(await query.log(place), { bytes: 8, lines: 2, running: true })
  assert.equal(await query.logLine(place, 1), 4)
  const text = async (from: number, to?: number) =>
    (await query.readLog(place, from, to)).pieces.map(({ data }) => new TextDecoder().decode(data)).join('')
  assert.equal(await text(4), 'two\n')
  assert.equal(await text(1, 3), 'ne')
  assert.equal((await query.readLog(place, 8)).finished, false)
  assert.equal(await query.log({ ...place, log: 'other' }), undefined)
  bot.finish()
  await rig.settle()
  assert.deepEqual(await query.log(place), { bytes: 8, lines: 2, running: false })
  assert.deepEqual(await query.readLog(place, 8), { pieces: [], next: 8, finished: true })
  await assert.rejects(query.readLog({ ...place, log: 'other' }, 0), { code: 'BOLT_LOGS_UNKNOWN' })
})
