import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineStep, type QueuedRequest, slave } from 'boltbot/plugin-sdk'
import { commit, each, ends, sh } from '../rig/parts.ts'
import { createRig, type RigOptions } from '../rig/rig.ts'

const bots = ['bot-1', 'bot-2'].map((name) => slave({ name, password: 'x' }))
type Over = Partial<Parameters<typeof builder>[0]>
const full = (over: Over = {}) =>
  builder({ name: 'full', slaves: ['bot-1', 'bot-2'], factory: buildFactory([sh({ command: 'make' })]), ...over })
const config = (over: Partial<RigOptions> = {}): RigOptions => ({ slaves: bots, builders: [full()], ...over })
const force = { builder: 'full', who: 'jane', reason: 'why not' }

test('a merged request says whose build it became, and every one of them ends with its result', async () => {
  await using rig = await createRig(config({ schedulers: [each({ builders: ['full'] })] }))
  for (const revision of ['r1', 'r2', 'r3']) await rig.master.submitChange(commit(revision), 'test')
  await rig.settle()
  await rig.slave('bot-1', [{ match: 'make', result: 2 }])
  await rig.settle()
  const build = await rig.build('full', 0)
  assert.deepEqual(build.requests, [1, 2, 3])
  const [first, second, third] = await Promise.all([1, 2, 3].map((id) => rig.master.why(id)))
  const told = [first, second, third].map((list) => {
    const { state, buildNumber, merged, result } = list![0]!.request
    return { state, buildNumber, merged, result }
  })
  const ended = { state: 'finished', buildNumber: 0, result: 'failure' }
  assert.deepEqual(told, [
    { ...ended, merged: false },
    { ...ended, merged: true },
    { ...ended, merged: true },
  ])
})

test('a function of the config says which requests are built together, and is not asked about those that are always alone', async () => {
  const asked: number[] = []
  const sameBranch = (_builder: string, first: QueuedRequest, other: QueuedRequest) => {
    asked.push(other.id)
    return first.sourceStamp.branch === other.sourceStamp.branch
  }
  await using rig = await createRig(config({ mergeRequests: sameBranch, builders: [full({ slaves: ['bot-1'] })] }))
  await rig.slave('bot-1')
  await rig.master.force({ ...force, branch: 'main' }, 'test')
  await rig.settle()
  await rig.reconfigure(config({ mergeRequests: sameBranch, builders: [full({ slaves: ['bot-2'] })] }))
  await rig.master.force({ ...force, branch: 'main', properties: { colour: 'red' } }, 'test')
  await rig.master.force({ ...force, branch: 'main', who: 'joe', properties: { colour: 'blue', size: 1 } }, 'test')
  await rig.master.force({ ...force, branch: 'other' }, 'test')
  await rig.master.rebuild({ build: 1, who: 'jane', reason: 'always alone' }, 'test')
  await rig.slave('bot-2')
  await rig.settle()
  const builds = await Promise.all([1, 2, 3].map((number) => rig.build('full', number)))
  assert.deepEqual(
    builds.map(({ requests }) => requests),
    [[2, 3], [4], [5]],
  )
  assert.equal(builds[0]!.properties.colour?.value, 'red', 'the one it was started for has its way')
  assert.equal(builds[0]!.properties.size?.value, 1)
  assert.deepEqual(asked, [3, 4])
})

test('a merge function that throws or hangs merges nothing, and the build starts', async () => {
  const broken = (_builder: string, _first: QueuedRequest, other: QueuedRequest) => {
    if (other.id === 2) throw new Error('oops')
    return new Promise<boolean>(() => {})
  }
  await using rig = await createRig(config({ builders: [full({ mergeRequests: broken, slaves: ['bot-1'] })] }))
  for (const branch of ['a', 'b', 'c']) await rig.master.force({ ...force, branch }, 'test')
  await rig.slave('bot-1')
  await rig.settle()
  assert.deepEqual(await rig.story('buildStarted'), [])
  for (let i = 0; i < 4; i++) await rig.clock.advance(30_000)
  assert.equal((await rig.build('full', 0)).requests.length, 1)
  assert.equal(rig.log.lines.filter((line) => line.message.startsWith('a function of the config')).length >= 2, true)
})

test('merging that is switched off waits in nobody: a reconfigure merges what was queued before', async () => {
  const changes = [each({ builders: ['full'] })]
  await using rig = await createRig(config({ mergeRequests: false, schedulers: changes }))
  for (const revision of ['r1', 'r2']) await rig.master.submitChange(commit(revision), 'test')
  await rig.settle()
  await rig.reconfigure(config({ schedulers: changes }))
  await rig.slave('bot-1')
  await rig.settle()
  assert.deepEqual((await rig.build('full', 0)).requests, [1, 2])
})

test('nextBuild and nextSlave of a builder choose before the hooks and chance', async () => {
  const release = (_builder: string, requests: readonly QueuedRequest[]) =>
    requests.find((request) => request.sourceStamp.branch === 'release')
  const last = async (_builder: string, slaves: readonly string[]) => slaves.toSorted().at(-1)
  await using rig = await createRig(
    config({ builders: [full({ nextBuild: release, nextSlave: last, mergeRequests: false })] }),
  )
  await rig.slave('bot-1')
  const second = await rig.slave('bot-2', [{ match: 'make', hang: true }])
  for (const branch of ['main', 'release']) await rig.master.force({ ...force, branch }, 'test')
  await rig.settle()
  // Both free slaves were offered for the first; the second request was there only after it had started.
  assert.deepEqual(await rig.story('buildStarted'), ['buildStarted full #0 on bot-2', 'buildStarted full #1 on bot-1'])
  second.drop('end')
})

test('nextBuild takes a later request first; what it answers beside the offered ones counts as nothing', async () => {
  const answers: unknown[] = [3, 99, null]
  const given = () => answers.shift() as number
  await using rig = await createRig(
    config({ builders: [full({ slaves: ['bot-1'], nextBuild: given, mergeRequests: false })] }),
  )
  for (const branch of ['a', 'b', 'c']) await rig.master.force({ ...force, branch }, 'test')
  await rig.slave('bot-1')
  await rig.settle()
  const built = [0, 1, 2].map(async (number) => (await rig.build('full', number)).sourceStamp.branch)
  assert.deepEqual(await Promise.all(built), ['c', 'a', 'b'])
})

test('prioritizeBuilders decides who goes first, after each start anew, over all that wait', async () => {
  const names = ['slow', 'quick', 'middle']
  const offered: (readonly string[])[] = []
  await using rig = await createRig({
    slaves: [slave({ name: 'bot-1', password: 'x', maxBuilds: 1 })],
    builders: names.map((name) =>
      builder({ name, slaves: ['bot-1'], factory: buildFactory([ends({ result: 'success' })]) }),
    ),
    prioritizeBuilders(builders) {
      offered.push(builders.map(({ name }) => name))
      return builders.toSorted((a, b) => b.priority - a.priority || (a.waitingSince ?? 0) - (b.waitingSince ?? 0))
    },
  })
  for (const [i, name] of names.entries()) {
    await rig.master.force({ ...force, builder: name, priority: name === 'middle' ? 1 : 0 }, 'test')
    await rig.master.force({ ...force, builder: name, branch: 'b', priority: name === 'quick' ? 2 : 0 }, 'test')
    await rig.clock.advance(1000 + i)
  }
  await rig.slave('bot-1')
  const started = (await rig.story('buildStarted')).map((line) => line.split(' ')[1])
  assert.deepEqual(started, ['quick', 'middle', 'slow', 'slow', 'quick', 'middle'])
  assert.equal(offered.length > 0, true)
})

test('prioritizeBuilders that throws, or names nobody known, leaves the order to core', async () => {
  const answers = [
    () => {
      throw new Error('oops')
    },
    () => ['nobody'],
    () => 'not a list' as never,
  ]
  await using rig = await createRig({
    slaves: [slave({ name: 'bot-1', password: 'x', maxBuilds: 1 })],
    builders: ['a', 'b'].map((name) =>
      builder({ name, slaves: ['bot-1'], factory: buildFactory([ends({ result: 'success' })]) }),
    ),
    prioritizeBuilders: () => (answers.shift() ?? (() => []))() as string[],
  })
  for (const name of ['a', 'b', 'a', 'b']) await rig.master.force({ ...force, builder: name, branch: name }, 'test')
  await rig.slave('bot-1')
  await rig.settle()
  assert.equal((await rig.story('buildFinished')).length, 2)
})

test('all that waits for a builder is cancelled at once; what is built goes on', async () => {
  await using rig = await createRig(config({ builders: [full({ slaves: ['bot-1'], mergeRequests: false })] }))
  const bot = await rig.slave('bot-1', [{ match: 'make', hang: true }])
  for (const branch of ['a', 'b', 'c']) await rig.master.force({ ...force, branch }, 'test')
  await rig.settle()
  assert.equal(await rig.master.cancel({ builder: 'full', who: 'jane', reason: 'too many' }, 'test'), 2)
  assert.deepEqual(await rig.story('requestCancelled'), ['requestCancelled full', 'requestCancelled full'])
  assert.deepEqual(
    (await rig.master.query.requests()).map(({ id, state }) => [id, state]),
    [[1, 'claimed']],
  )
  assert.equal(await rig.master.cancel({ builder: 'full', who: 'jane', reason: 'again' }, 'test'), 0)
  await assert.rejects(rig.master.cancel({ builder: 'fill', who: 'jane', reason: 'x' }, 'test'), {
    code: 'BOLT_BUILDSETS_UNKNOWN_BUILDER',
  })
  bot.drop('end')
})

test('a rebuild takes the revision that was checked out, the changes, and the properties that were asked for', async () => {
  const checkout = defineStep({
    name: 'checkout',
    async run(context) {
      context.setProperty('got_revision', 'abc123')
      return { result: 'success' }
    },
  })
  const steps = buildFactory([checkout({})])
  await using rig = await createRig(
    config({ builders: [full({ factory: steps })], schedulers: [each({ builders: ['full'] })] }),
  )
  await rig.slave('bot-1')
  await rig.master.force({ ...force, branch: 'main', properties: { colour: 'red' } }, 'test')
  await rig.settle()
  const { id } = await rig.build('full', 0)
  const again = await rig.master.rebuild({ build: id, who: 'joe', reason: 'flaky?' }, 'test')
  assert.equal(again.requests.length, 1)
  await rig.settle()
  const rebuilt = await rig.build('full', 1)
  assert.equal(rebuilt.sourceStamp.revision, 'abc123')
  assert.equal(rebuilt.sourceStamp.branch, 'main')
  assert.deepEqual(rebuilt.properties.colour, { value: 'red', source: 'Force' })
  assert.equal(rebuilt.properties.owner?.value, 'joe')
  assert.equal(rebuilt.reason, 'full #0 again: flaky?')
  await rig.master.submitChange(commit('r9'), 'test')
  await rig.settle()
  const fromChange = await rig.build('full', 2)
  await rig.master.rebuild({ build: fromChange.id, who: 'joe', reason: 'x' }, 'test')
  await rig.settle()
  assert.deepEqual((await rig.build('full', 3)).blamelist, ['jane'])
  await assert.rejects(rig.master.rebuild({ build: 999, who: 'joe', reason: 'x' }, 'test'), {
    code: 'BOLT_BUILDS_UNKNOWN',
  })
})
