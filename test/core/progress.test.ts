import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuildStarted, builder, buildFactory, defineStep, type StepStarted, slave } from 'boltbot/plugin-sdk'
import { createProgress } from '../../core/progress.ts'
import { createRig, type Rig, type RigOptions } from '../rig/rig.ts'

const bot = slave({ name: 'bot', password: 'x' })
/** Takes as many seconds as a property of the build says. */
const takes = defineStep({
  name: 'takes',
  async run(context, options: { readonly property: string }) {
    const seconds = context.properties[options.property]?.value
    if (seconds === 'bad') return { result: 'failure' }
    await context.clock.sleep(Number(seconds) * 1000)
    return { result: 'success' }
  },
})
const config = (useProgress = true): RigOptions => ({
  slaves: [bot],
  builders: [
    builder({
      name: 'full',
      slaves: [bot],
      useProgress,
      factory: buildFactory([
        takes({ name: 'compile', property: 'c' }),
        takes({ name: 'docs', property: 'd', doStepIf: false }),
        takes({ name: 'test', property: 't' }),
      ]),
    }),
  ],
})

async function begin(rig: Rig, c: number, t: number | 'bad'): Promise<number> {
  const order = { builder: 'full', who: 'jane', reason: 'x', branch: 'main', properties: { c, t } }
  await rig.master.force(order, 'test')
  await rig.settle()
  return rig.clock.now()
}
async function build(rig: Rig, c: number, t: number | 'bad'): Promise<void> {
  await begin(rig, c, t)
  await rig.clock.advance(c * 1000)
  await rig.settle()
  if (typeof t === 'number') await rig.clock.advance(t * 1000)
  await rig.settle()
}
const started = (rig: Rig) => rig.events.findLast(({ name }) => name === 'buildStarted')!.event as BuildStarted

test('when a build will have ended is the median of good builds, with a range, told as it goes', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot')
  await build(rig, 10, 100)
  assert.equal(started(rig).eta, undefined, 'nothing was known')
  await build(rig, 90, 'bad') // its test tells nothing of how long tests take; nor does a bad build at all
  await build(rig, 12, 140)
  await build(rig, 14, 120)
  const now = await begin(rig, 12, 120)
  assert.deepEqual(started(rig).eta, { at: now + 132_000, low: now + 132_000 - 20_100, high: now + 132_000 + 20_100 })
  await rig.clock.advance(6000)
  const { eta } = (await rig.master.query.builds({ running: true }))[0]!
  assert.equal(eta?.at, now + 132_000)
  await rig.clock.advance(6000)
  await rig.settle()
  const step = rig.events.findLast(({ name }) => name === 'stepStarted')!.event as StepStarted
  assert.deepEqual([step.name, step.eta?.at], ['test', now + 132_000])
  await rig.clock.advance(300_000) // far behind: nothing better is known than now, and nothing of the past is promised
  assert.equal((await rig.build('full', 4)).eta, undefined, 'it has ended')
})

test('a step that takes longer than it should moves the end along', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot')
  await build(rig, 10, 10)
  const now = await begin(rig, 60, 10)
  await rig.clock.advance(40_000)
  const { eta } = (await rig.master.query.builds({ running: true }))[0]!
  assert.deepEqual(eta, { at: now + 50_000, low: now + 50_000, high: now + 50_000 })
})

test('what was learned outlives the master, in the last ten good builds, one that is far off left out of the range', async () => {
  const first = await createRig(config())
  await first.slave('bot')
  for (let i = 0; i < 11; i++) await build(first, i === 0 ? 5000 : i === 5 ? 900 : 10 + i, 1)
  const rig = await first.restart()
  await using _ = rig
  const [compile] = await rig.master.query.expectations('full')
  assert.deepEqual(compile, { name: 'compile', median: 16_500, low: 12_000, high: 20_000 })
  assert.deepEqual(await createProgress(rig.store).expected('other'), [])
})

test('useProgress: false learns nothing and expects nothing', async () => {
  await using rig = await createRig(config(false))
  await rig.slave('bot')
  for (let i = 0; i < 2; i++) await build(rig, 1, 1)
  assert.equal(started(rig).eta, undefined)
  assert.deepEqual(await rig.master.query.expectations('full'), [])
})

test('a builder knows for each branch its last result and its last success', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot')
  await build(rig, 1, 1)
  await build(rig, 1, 'bad')
  await rig.master.force({ builder: 'full', who: 'joe', reason: 'x', properties: { c: 1, t: 'bad' } }, 'test')
  await rig.settle()
  await rig.clock.advance(2000)
  await rig.settle()
  assert.deepEqual(await rig.master.query.branches('full'), [
    { branch: null, lastBuild: 2, lastResult: 'failure', lastSuccess: null },
    { branch: 'main', lastBuild: 1, lastResult: 'failure', lastSuccess: 0 },
  ])
  assert.equal((await rig.master.query.branches('full', { branch: 'main' })).length, 1)
  assert.equal((await rig.master.query.branches('full', { branch: null }))[0]?.lastBuild, 2)
})

test('a buildset is shown, and waited for by several, before and after its end', async () => {
  await using rig = await createRig(config())
  await rig.slave('bot')
  const order = { builder: 'full', who: 'joe', reason: 'why not', properties: { c: 10, t: 'bad' } }
  const { buildset } = await rig.master.force(order, 'test')
  const stop = new AbortController()
  const waits = [rig.master.waitFor(buildset), rig.master.waitFor(buildset), rig.master.waitFor(buildset, stop.signal)]
  const given = assert.rejects(waits[2]!, /enough/)
  stop.abort(new Error('enough'))
  await given
  await rig.settle()
  assert.equal((await rig.master.query.buildset(buildset))?.finishedAt, null)
  await rig.clock.advance(10_000)
  assert.deepEqual(await Promise.all([waits[0], waits[1], rig.master.waitFor(buildset)]), [
    'failure',
    'failure',
    'failure',
  ])
  const { reason, owner, result, doomed, requests } = (await rig.master.query.buildset(buildset))!
  assert.deepEqual(
    { reason, owner, result, doomed, requests },
    {
      reason: 'why not',
      owner: 'joe',
      result: 'failure',
      doomed: true,
      requests: [1],
    },
  )
  await assert.rejects(rig.master.waitFor(99), { code: 'BOLT_BUILDSETS_UNKNOWN' })
})
