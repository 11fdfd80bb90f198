import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builder, buildFactory, checkForm, definePlugin, type FormField, slave } from 'boltbot/plugin-sdk'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { type ForceSchedulerOptions, forceScheduler, nightly } from 'boltbot/plugins/schedulers'
import { sh } from '../../rig/parts.ts'
import { createRig, type RigOptions } from '../../rig/rig.ts'

const problemsOf = (field: FormField, value?: unknown) =>
  checkForm([field], value === undefined ? {} : { f: value as never }, 'jane').problems
const valueIn = (field: FormField, value?: unknown) => {
  const { values, problems } = checkForm([field], value === undefined ? {} : { f: value as never }, 'jane')
  assert.deepEqual(problems, [])
  return values.f
}

describe('a form', () => {
  it('takes texts for numbers, booleans and lists', () => {
    assert.equal(valueIn({ name: 'f', type: 'int' }, ' -12'), -12)
    assert.equal(valueIn({ name: 'f', type: 'bool' }, 'Yes'), true)
    assert.equal(valueIn({ name: 'f', type: 'bool' }, '0'), false)
    assert.equal(valueIn({ name: 'f', type: 'string' }, 12), '12')
    assert.deepEqual(valueIn({ name: 'f', type: 'choice', choices: ['a', 'b'], multiple: true }, 'b, a,b'), ['b', 'a'])
  })

  it('fills in what was left out', () => {
    assert.equal(valueIn({ name: 'f', type: 'string' }), '')
    assert.equal(valueIn({ name: 'f', type: 'string', default: 'x' }, ''), 'x')
    assert.equal(valueIn({ name: 'f', type: 'int' }), null)
    assert.equal(valueIn({ name: 'f', type: 'bool' }), false)
    assert.equal(valueIn({ name: 'f', type: 'user' }), 'jane')
    assert.equal(valueIn({ name: 'f', type: 'choice', choices: ['a', 'b'] }), 'a')
    assert.deepEqual(valueIn({ name: 'f', type: 'choice', choices: ['a'], multiple: true }), [])
    assert.deepEqual(valueIn({ name: 'f', type: 'fixed', default: { a: 1 } }), { a: 1 })
    const nested: FormField = { name: 'f', type: 'nested', fields: [{ name: 'g', type: 'bool', default: true }] }
    assert.deepEqual(valueIn(nested), { g: true })
  })

  for (const [what, field, value, problem] of [
    ['a required text', { name: 'f', type: 'string', required: true }, '', /"f" must be filled in/],
    [
      'a required choice',
      { name: 'f', type: 'choice', choices: ['a'], required: true },
      undefined,
      /must be filled in/,
    ],
    ['a text that does not fit whole', { name: 'f', type: 'string', pattern: '\\d+' }, '12x', /must look like \\d\+/],
    ['a long text', { name: 'f', type: 'text', maxLength: 3 }, 'abcd', /at most 3 characters/],
    ['two lines where one is wanted', { name: 'f', type: 'string' }, 'a\nb', /is one line/],
    ['half a number', { name: 'f', type: 'int' }, '1.5', /is a whole number/],
    ['a number too small', { name: 'f', type: 'int', min: 2 }, 1, /2 or more/],
    ['a number too large', { name: 'f', type: 'int', max: 2 }, 3, /2 or less/],
    ['maybe', { name: 'f', type: 'bool' }, 'maybe', /is yes or no/],
    ['another choice', { name: 'f', type: 'choice', choices: ['a', 'b'] }, 'c', /is one of a, b/],
    [
      'one wrong of several',
      { name: 'f', type: 'choice', choices: ['a'], multiple: true },
      ['a', 'c'],
      /a list, each one of a/,
    ],
    ['a person without mail', { name: 'f', type: 'user', needsMail: true }, 'jane', /with a mail address/],
    ['what is fixed', { name: 'f', type: 'fixed', default: 1 }, 2, /is fixed/],
    ['a text for a group', { name: 'f', type: 'nested', fields: [] }, 'x', /is a group/],
    ['an object for a text', { name: 'f', type: 'string' }, { a: 1 }, /is text/],
  ] as const)
    it(`refuses ${what}`, () => {
      assert.match(problemsOf(field as FormField, value).join(), problem)
    })

  it('names every problem with its place, unknown fields too', () => {
    const fields: FormField[] = [
      { name: 'n', type: 'nested', fields: [{ name: 'count', type: 'int' }] },
      { name: 'b', type: 'bool' },
    ]
    const { problems } = checkForm(fields, { n: { count: 'x', size: 1 }, b: 'x', toString: 1 }, 'jane')
    assert.deepEqual(problems, [
      '"toString" is no field: there are n, b',
      '"n.size" is no field: there are count',
      '"n.count" is a whole number',
      '"b" is yes or no',
    ])
  })
})

const bot = slave({ name: 'bot', password: 'x' })
const builders = ['full', 'quick'].map((name) =>
  builder({ name, slaves: [bot], factory: buildFactory([sh({ command: 'make' })]) }),
)
const RELEASE: ForceSchedulerOptions = {
  name: 'release',
  builders,
  properties: { kind: 'release' },
  branch: { type: 'choice', choices: ['main', 'stable'] },
  priority: { type: 'int', default: 5, max: 9 },
  parameters: {
    version: { type: 'string', required: true, pattern: '\\d+\\.\\d+' },
    upload: { type: 'bool' },
    where: { type: 'nested', fields: { host: { type: 'choice', choices: ['a', 'b'] } } },
    secretly: { type: 'fixed', default: 'no' },
  },
}
const config = (over: Partial<RigOptions> = {}): RigOptions => ({
  slaves: [bot],
  builders,
  schedulers: [forceScheduler(RELEASE), nightly({ name: 'nightly', builders: ['full'], hour: 3 })],
  ...over,
})

describe('forceScheduler', () => {
  it('builds what was filled in, with a property for each field', async () => {
    await using rig = await createRig(config())
    await rig.slave('bot')
    const values = { version: '1.2', upload: 'yes', branch: 'stable', reason: 'it is time' }
    const made = await rig.master.force({ scheduler: 'release', who: 'jane', builders: ['full'], values }, 'test')
    assert.equal(made.requests.length, 1)
    assert.equal((await rig.master.query.requests())[0]?.priority, 5)
    await rig.settle()
    const build = await rig.build('full', 0)
    assert.deepEqual(
      [build.reason, build.sourceStamp.branch, build.sourceStamp.revision],
      ['it is time', 'stable', null],
    )
    const { properties } = build
    const got = ['version', 'upload', 'where', 'secretly', 'kind', 'owner', 'scheduler'].map(
      (name) => properties[name]?.value,
    )
    assert.deepEqual(got, ['1.2', true, { host: 'a' }, 'no', 'release', 'jane', 'release'])
  })

  it('builds on all its builders when none is named', async () => {
    await using rig = await createRig(config())
    const made = await rig.master.force({ scheduler: 'release', who: 'jane', values: { version: '1.2' } }, 'test')
    assert.deepEqual(
      [made.requests.length, made.warning],
      [2, 'no slave of "full" is attached: the build waits for one'],
    )
  })

  it('tells all that is wrong, and builds nothing then', async () => {
    await using rig = await createRig(config())
    const force = (order: object) => rig.master.force({ scheduler: 'release', who: 'jane', ...order }, 'test')
    await assert.rejects(force({ builders: ['slow'], values: { version: 'x', hat: 'red' } }), {
      code: 'BOLT_SCHEDULING_FORM',
      message:
        'What was filled in for "release" is not right: it does not build "slow"; "hat" is no field: there are reason, branch, revision, repository, project, priority, version, upload, where, secretly; "version" must look like \\d+\\.\\d+.',
    })
    await assert.rejects(force({ scheduler: 'nightly' }), { code: 'BOLT_SCHEDULING_NO_FORM' })
    await assert.rejects(force({ scheduler: 'relase' }), { code: 'BOLT_SCHEDULING_UNKNOWN' })
    assert.deepEqual(await rig.story('buildsetCreated'), [])
  })

  it('asks the guards for each builder', async () => {
    const guard = definePlugin({
      name: 'guard',
      kind: 'service',
      apply(host) {
        host.tap('guardAction', ({ builder }) => {
          if (builder === 'quick') throw new Error('not quick')
        })
      },
    })
    await using rig = await createRig(config({ plugins: [guard()] }))
    const order = { scheduler: 'release', who: 'jane', values: { version: '1.2' } }
    await assert.rejects(rig.master.force(order, 'test'))
    assert.equal((await rig.master.force({ ...order, builders: ['full'] }, 'test')).requests.length, 1)
  })

  it('shows its form to whoever asks', async () => {
    await using rig = await createRig(config())
    const [release, other] = await rig.master.query.schedulers()
    assert.deepEqual(
      release?.form?.map(({ name, type }) => `${name} ${type}`),
      [
        'reason string',
        'branch choice',
        'revision string',
        'repository fixed',
        'project fixed',
        'priority int',
        'version string',
        'upload bool',
        'where nested',
        'secretly fixed',
      ],
    )
    assert.equal(other?.form, undefined)
  })

  for (const [what, over, message] of [
    ['a field of no known type', { parameters: { a: { type: 'date' } } }, /type: string, text, int/],
    ['a choice without choices', { parameters: { a: { type: 'choice', choices: [] } } }, /at least one choice/],
    ['a pattern that is none', { parameters: { a: { type: 'string', pattern: '(' } } }, /a regular expression/],
    [
      'a default its own field refuses',
      { parameters: { a: { type: 'int', default: 1, min: 2 } } },
      /The default of "a" is a whole number, 2 or more/,
    ],
    ['a parameter named as an option', { parameters: { branch: { type: 'string' } } }, /an option of its own/],
    ['a priority of text', { priority: { type: 'string' } }, /of type int or fixed/],
    ['a group for the branch', { branch: { type: 'nested', fields: {} } }, /one field, not a group/],
  ] as const)
    it(`refuses ${what}`, () => {
      assert.throws(() => createTestHost().apply(forceScheduler({ ...RELEASE, ...(over as object) })), message)
    })
})
