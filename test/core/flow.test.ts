import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type BuildInfo,
  builder,
  buildFactory,
  type ChooseSteps,
  defineStep,
  masterLock,
  type Result,
  type Step,
  slave,
  slaveLock,
} from 'boltbot/plugin-sdk'
import { recallSteps } from '../../core/step-plan.ts'
import { readStepPlan } from '../../core/store/step-plans.ts'
import { commit, each, ends, sh } from '../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../rig/rig.ts'

const bot = slave({ name: 'bot', password: 'x' })
const config = (steps: readonly Step[] | ChooseSteps): RigOptions => ({
  slaves: [bot],
  builders: [builder({ name: 'full', slaves: [bot], factory: buildFactory(steps) })],
  schedulers: [each({ builders: ['full'] })],
})
const force = { builder: 'full', who: 'jane', reason: 'why not' }

/** A step that adds what it is given. */
const adds = defineStep({
  name: 'adds',
  async run(context, options: { readonly steps: readonly Step[]; readonly more?: readonly Step[] }) {
    await context.addSteps(options.steps)
    if (options.more !== undefined) await context.addSteps(options.more)
    return { result: 'success' }
  },
})

async function steps(rig: Rig, number: number): Promise<readonly string[]> {
  const build = await rig.build('full', number)
  return build.steps.map(({ name, result }) => `${name} ${result}`)
}

test('a factory that is a function chooses steps by changed files, properties and the last result', async () => {
  const seen: BuildInfo[] = []
  await using rig = await createRig(
    config(async (build) => {
      seen.push(build)
      const files = build.changes.flatMap((change) => change.files)
      const result: Result = build.properties.bad === undefined ? 'success' : 'failure'
      return [
        sh({ name: 'checkout', command: 'co' }),
        ...(files.some((file) => file.startsWith('docs/')) ? [sh({ name: 'docs', command: 'docs' })] : []),
        ends({ result }),
        ...(build.lastResult === 'failure' ? [sh({ name: 'clean', command: 'clean' })] : []),
      ]
    }),
  )
  await rig.slave('bot')
  await rig.master.submitChange({ ...commit('r1'), files: ['docs/a.md'] }, 'test')
  await rig.settle()
  await rig.master.force({ ...force, branch: 'main', properties: { bad: true } }, 'test')
  await rig.settle()
  await rig.master.force({ ...force, branch: 'main' }, 'test')
  await rig.settle()
  assert.deepEqual(await steps(rig, 0), ['checkout success', 'docs success', 'ends success'])
  assert.deepEqual(await steps(rig, 1), ['checkout success', 'ends failure'])
  assert.deepEqual(await steps(rig, 2), ['checkout success', 'ends success', 'clean success'])
  assert.deepEqual(
    seen.map(({ number, lastResult, slave: on }) => [number, lastResult, on]),
    [
      [0, null, 'bot'],
      [1, 'success', 'bot'],
      [2, 'failure', 'bot'],
    ],
  )
})

test('a factory that throws, hangs or gives what is no step ends the build with the reason', async () => {
  const given: readonly ChooseSteps[] = [
    () => {
      throw new Error('no idea what to build')
    },
    () => new Promise<never>(() => {}),
    () => [ends({ result: 'success' }), 'make' as never],
    () => [ends({ result: 'success', haltOnFailure: 'yes' } as never)],
    () => 'make' as never,
  ]
  let next = 0
  await using rig = await createRig(config((build) => given[next++]!(build)))
  await rig.slave('bot')
  for (let i = 0; i < given.length; i++) {
    await rig.master.force(force, 'test')
    await rig.settle()
    if (i === 1) await rig.clock.advance(61_000)
    await rig.settle()
  }
  const texts = await Promise.all(given.map(async (_, i) => (await rig.build('full', i)).text.join(' ')))
  assert.match(texts[0]!, /^exception no idea what to build$/)
  assert.match(texts[1]!, /chose no steps within 60 s/)
  assert.match(texts[2]!, /It is "make", not a step/)
  assert.match(texts[3]!, /"haltOnFailure" is "yes". Give true or false/)
  assert.match(texts[4]!, /It gave "make". Give a list of steps/)
  assert.deepEqual(
    await rig.story('buildFinished'),
    [0, 1, 2, 3, 4].map((n) => `buildFinished full #${n} on bot exception`),
  )
})

test('a build that is stopped while its steps are chosen ends at once', async () => {
  await using rig = await createRig(config(() => new Promise<never>(() => {})))
  await rig.slave('bot')
  await rig.master.force(force, 'test')
  await rig.settle()
  await rig.master.stopBuild({ build: 1, who: 'jane', reason: 'enough' }, 'test')
  assert.deepEqual(await rig.story('buildFinished'), ['buildFinished full #0 on bot cancelled'])
})

test('steps that a running step adds come right behind it, in the order they were added, under names of their own', async () => {
  await using rig = await createRig(
    config([
      sh({ command: 'first' }),
      adds({
        name: 'plan',
        steps: [sh({ command: 'a' }), sh({ command: 'b' })],
        more: [sh({ name: 'c', command: 'c' })],
      }),
      sh({ command: 'last' }),
    ]),
  )
  await rig.slave('bot')
  await rig.master.force(force, 'test')
  await rig.settle()
  assert.deepEqual(await steps(rig, 0), [
    'sh success',
    'plan success',
    'sh_3 success',
    'sh_4 success',
    'c success',
    'sh_2 success',
  ])
  const texts = (await rig.build('full', 0)).steps.map(({ text }) => text)
  assert.deepEqual(texts, ['first', 'adds', 'a', 'b', 'c', 'last'])
})

test('added steps halt and fail the build as others do; bad ones are an exception of the step that adds them', async () => {
  const bad = ends({ result: 'failure', haltOnFailure: true })
  await using rig = await createRig(config([adds({ steps: [bad] }), sh({ command: 'last' })]))
  await rig.slave('bot')
  await rig.master.force(force, 'test')
  await rig.settle()
  assert.deepEqual(await steps(rig, 0), ['adds success', 'ends failure'])
  await rig.reconfigure(config([adds({ steps: [{ kind: 'step' } as never] }), sh({ command: 'last' })]))
  await rig.master.force(force, 'test')
  await rig.settle()
  const [failed] = (await rig.build('full', 1)).steps
  assert.equal(failed?.result, 'exception')
  assert.match(failed?.text ?? '', /Step "adds" gave steps that cannot be run/)
})

test('a step that adds itself for ever is stopped at 1000 steps', async () => {
  const again: Step = adds({ steps: [] })
  Object.assign(again.options, { steps: Array.from({ length: 400 }, () => again) })
  await using rig = await createRig(config([again]))
  await rig.slave('bot')
  await rig.master.force(force, 'test')
  for (let i = 0; i < 5; i++) await rig.settle()
  const build = await rig.build('full', 0)
  assert.equal(build.result, 'exception')
  assert.match(build.text.join(' '), /adds/)
})

test('the steps of a build are stored, and had again from what was stored under the same config', async () => {
  const cpu = slaveLock('cpu', { maxCount: 2 })
  const added = [
    sh({ name: 'a', command: 'a', locks: [cpu.access('counting'), masterLock('db').access('exclusive')] }),
    sh({ command: 'b', haltOnFailure: true }),
  ]
  const choose: ChooseSteps = () => [adds({ name: 'plan', steps: added }), sh({ command: 'last' })]
  await using rig = await createRig(config(choose))
  await rig.slave('bot')
  await rig.master.force(force, 'test')
  await rig.settle()
  const { id } = await rig.build('full', 0)
  const records = await readStepPlan(rig.store.db, id)
  assert.deepEqual(
    records?.map(({ name, kind, addedBy }) => `${name} ${kind} ${addedBy}`),
    ['plan adds null', 'a sh plan', 'sh_2 sh plan', 'sh sh null'],
  )
  const spec = { name: 'full', steps: [], chooseSteps: choose } as never as Parameters<typeof recallSteps>[0]
  const info = async () => ({}) as BuildInfo
  const recalled = await recallSteps(spec, info, records!, [])
  assert.deepEqual(recalled.records(), records)
  const lock = recalled.steps[1]!.step.flags.locks?.[0]
  assert.deepEqual(
    [lock?.lock.kind, lock?.lock.name, lock?.lock.maxCount, lock?.mode],
    ['slaveLock', 'cpu', 2, 'counting'],
  )
  assert.equal(recalled.steps[1]!.step.definition, sh.definition)

  const other = { ...spec, chooseSteps: () => [sh({ command: 'last' })] } as typeof spec
  await assert.rejects(recallSteps(other, info, records!, []), { code: 'BOLT_STEPS_FORGOTTEN' })
  const withFunction = records!.map((record) => (record.name === 'a' ? { ...record, options: null } : record))
  await assert.rejects(recallSteps(spec, info, withFunction, []), /its options hold functions/)
  const ofUnknownKind = records!.map((record) => (record.name === 'a' ? { ...record, kind: 'deploy' } : record))
  await assert.rejects(recallSteps(spec, info, ofUnknownKind, []), /no step of the config is of kind "deploy"/)
  const deploy = defineStep({ name: 'deploy', run: async () => ({ result: 'success' }) })
  const planner = defineStep({ name: 'planner', adds: [deploy], run: async () => ({ result: 'success' }) })
  const known = await recallSteps(spec, info, ofUnknownKind, [planner.definition])
  assert.equal(known.steps[1]!.step.definition, deploy.definition)
})

test('a build with the steps of its builder stores none', async () => {
  await using rig = await createRig(config([sh({ command: 'make' })]))
  await rig.slave('bot')
  await rig.master.force(force, 'test')
  await rig.settle()
  assert.equal(await readStepPlan(rig.store.db, (await rig.build('full', 0)).id), null)
})
