import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, defineStep, type Host, slave } from 'boltbot/plugin-sdk'
import { createImporter } from '../../core/config/importer.ts'
import { readConfig } from '../../core/config/load.ts'
import { createConfigFolder } from '../rig/config-folder.ts'
import { commit, sh } from '../rig/parts.ts'
import { createPluginHostRig, spec } from '../rig/plugin-host-rig.ts'
import { createRig } from '../rig/rig.ts'

/** What the mistake of a plugin's apply is answered with: message and hint. */
async function refusalOf(apply: (host: Host) => void): Promise<string> {
  const rig = createPluginHostRig()
  try {
    await rig.host.start([spec('lamp', { apply })])
  } catch (error) {
    const { message, hint } = error as { readonly message: string; readonly hint?: string }
    return `${message} ${hint ?? ''}`
  } finally {
    await rig.host.stop()
  }
  return 'it was taken'
}

const HERE = /at .*plugin-mistakes\.test\.ts:\d+:\d+/

test('a wrong hook is named, with the place of the call', async () => {
  const said = await refusalOf((host) => host.tap('buildFinish' as never, (() => {}) as never))
  assert.match(said, /taps "buildFinish", which is no hook\. Did you mean "buildFinished"\? It was called at /)
  assert.match(said, HERE)
})

test('a scheduler that lacks something is refused when it is registered, with the place of the call', async () => {
  const good = { name: 'nights', builders: ['full'], initial: 0, decide: () => ({ state: 0 }) }
  const cases = [
    [{ ...good, name: undefined }, /registers a scheduler that has no name\./],
    [{ ...good, builders: 'full' }, /scheduler "nights" that has no list of builder names in builders\./],
    [{ ...good, decide: undefined }, /scheduler "nights" that has no function decide\./],
    [{ ...good, initial: undefined }, /scheduler "nights" that has no initial state\. Give registerScheduler name, /],
    [{ ...good, initial: new Map() }, /that has an initial state that is not JSON\./],
    [{ ...good, wants: true }, /that has a wants that is no function\./],
    [undefined, /registers a scheduler that has no name\./],
  ] as const
  for (const [rules, form] of cases) {
    const said = await refusalOf((host) => host.registerScheduler(rules as never))
    assert.match(said, form)
    assert.match(said, HERE)
  }
})

test('what decide gives is looked at: the input is passed over with a sentence, and the scheduler goes on', async () => {
  const given: unknown[] = [
    'nonsense',
    undefined,
    {},
    { state: 1, buildsets: 'all' },
    { state: 1, wakeAt: 'later' },
    Promise.resolve({ state: 1 }),
  ]
  const picky = definePlugin({
    name: 'picky',
    kind: 'scheduler',
    needs: ['schedulers'],
    apply(host) {
      host.registerScheduler({
        name: 'picky',
        builders: ['full'],
        initial: 0,
        decide: (input, state) =>
          input.kind !== 'change'
            ? { state }
            : given.length > 0
              ? (given.shift() as never)
              : { state, buildsets: [{ reason: 'a good one', changes: [input.change.id] }] },
      })
    },
  })
  await using rig = await createRig({ ...parts(), schedulers: [picky()] })
  const expected = [
    /gave nonsense\./,
    /gave nothing\./,
    /gave no state\./,
    /buildsets that are no list\./,
    /wakeAt that is no time\./,
    /is async, and must be synchronous\./,
  ]
  for (let i = 0; i <= expected.length; i++) {
    await rig.master.submitChange(commit(`r${i}`), 'test')
    await rig.settle()
  }
  const said = rig.log
    .find('error', 'scheduler failed, this input is passed over')
    .map(({ fields }) => `${(fields.error as Error).message}`)
  assert.equal(said.length, expected.length, said.join('\n'))
  for (const [i, form] of expected.entries()) assert.match(said[i]!, form)
  assert.deepEqual(await rig.story('buildsetCreated'), ['buildsetCreated'])
})

test('a step that gives no outcome ends as an exception that says so', async () => {
  for (const [given, form] of [
    ['great', /The run of step "odd" gave "great", which is no outcome\./],
    [undefined, /The run of step "odd" gave nothing, which is no outcome\./],
    [{ result: 'ok' }, /gave {"result":"ok"}, which is no outcome\./],
  ] as const) {
    const odd = defineStep({ name: 'odd', run: (() => given) as never })
    await using rig = await createRig(parts(odd()))
    await rig.slave('bot')
    await rig.master.force({ builder: 'full', who: 'jane', reason: 'a try' }, 'test')
    await rig.settle()
    const build = await rig.build('full', 0)
    assert.equal(build.result, 'exception')
    assert.match(build.steps[0]!.text, form)
  }
})

test('a step without a name is a problem of the config', async () => {
  await using folder = await createConfigFolder()
  using importer = createImporter()
  const file = await folder.write(
    'master.cfg.ts',
    `
import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { defineStep } from 'boltbot/plugin-sdk'
import { local } from 'boltbot/plugins/slaves/local'
const nameless = defineStep({ async run() { return { result: 'success' } } } as never)
const bot = slave({ name: 'bot' })
export default defineMaster({
  projectName: 'Hello', transports: [local()], slaves: [bot],
  builders: [builder({ name: 'full', slaves: [bot], factory: buildFactory([nameless()]) })],
})
`,
  )
  const { problems: found } = await readConfig(importer, file)
  const problems = found.map(({ line, column, message }) => `${line}:${column} ${message}`)
  assert.match(problems.join('\n'), /^9:\d+ .*Its definition has no name\. Give it one: defineStep\(/)
  assert.equal(problems.length, 1)
})

const parts = (step: ReturnType<typeof sh> = sh({ command: 'make' })) => ({
  slaves: [slave({ name: 'bot', password: 'x' })],
  builders: [builder({ name: 'full', slaves: ['bot'], factory: buildFactory([step]) })],
})
