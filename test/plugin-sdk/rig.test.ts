import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, definePlugin, masterLock, secret, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { scheduler } from '../../plugins/schedulers/index.ts'
import { shellCommand } from '../../plugins/steps/index.ts'

const bot = slave({ name: 'bot', password: secret('bot') })
const full = builder({
  name: 'full',
  slaves: [bot],
  factory: buildFactory([shellCommand({ command: ['make'] }), shellCommand({ command: ['make', 'test'] })]),
})

/** Says how builds ended. */
const teller = (said: string[]) =>
  definePlugin({
    name: 'teller',
    kind: 'status',
    durable: true,
    apply(host) {
      host.tap('buildFinished', ({ builder, number, result }) => void said.push(`${builder} #${number} ${result}`))
    },
  })()

const config = (said: string[]) =>
  defineMaster({
    projectName: 'Rig',
    transports: [],
    slaves: [bot],
    builders: [full],
    schedulers: [scheduler({ name: 'tests', builders: [full], branch: 'main', treeStableTimer: '5m' })],
    status: [teller(said)],
  })

test('a change becomes builds, one after the other, and a plugin hears of them', async () => {
  const said: string[] = []
  await using rig = await createRig({
    config: config(said),
    slaves: { bot: [{ match: 'make test', result: 1, times: 1 }] },
    secrets: { bot: 'x' },
  })
  await rig.commit({ who: 'jane', branch: 'main' })
  await rig.advance('4m')
  assert.deepEqual(rig.slave('bot').commands(), [])
  await rig.advance('1m')
  const build = await rig.until.build('full', 'failure')
  assert.deepEqual(
    build.steps.map((step) => step.result),
    ['success', 'failure'],
  )
  await rig.force('full')
  assert.equal((await rig.until.build('full', 'success')).number, 1)
  assert.deepEqual(said, ['full #0 failure', 'full #1 success'])
})

test('a killed master goes on over the same store, and durable plugins miss nothing', async () => {
  const said: string[] = []
  await using rig = await createRig({ config: config(said), secrets: { bot: 'x' } })
  await rig.commit({ branch: 'main' })
  await rig.advance('3m')
  await rig.restart()
  await rig.advance('3m')
  await rig.until.build('full', 'success')
  await rig.restart()
  assert.deepEqual(said, ['full #0 success'])
  const { change } = await rig.until.event('changeAccepted')
  assert.equal(change.branch, 'main')
})

test('what does not come is told with the story so far', async () => {
  await using rig = await createRig({ config: config([]), slaves: { bot: [{ result: 2 }] }, secrets: { bot: 'x' } })
  await rig.force('full')
  await assert.rejects(rig.until.build('full', 'success'), {
    code: 'BOLT_TESTING_RESULT',
    message: /full #0 ended with "failure", not "success"[\s\S]* {2}stepFinished full #0 shell failure/,
  })
  assert.throws(() => rig.slave('nobody'), {
    code: 'BOLT_TESTING_MISUSED',
    message: /the slave "nobody", and has .*bot/,
  })
})

test('a config with problems is refused with all of them', async () => {
  const wrong = defineMaster({ projectName: '', transports: [], slaves: [bot], builders: [] })
  await assert.rejects(createRig({ config: wrong }), { code: 'BOLT_TESTING_CONFIG', message: /projectName/ })
})

test('another config is applied to the running master', async () => {
  const said: string[] = []
  await using rig = await createRig({ config: config(said), secrets: { bot: 'x' } })
  const changed = await rig.reconfigure(
    defineMaster({
      ...config(said).options,
      projectName: 'Rig',
      slaves: [bot],
      builders: [
        full,
        builder({
          name: 'quick',
          slaves: [bot],
          locks: [masterLock('l').access('exclusive')],
          factory: full.options.factory,
        }),
      ],
    }),
  )
  assert.match(changed.join(), /quick/)
  await rig.force('quick')
  await rig.until.build('quick', 'success')
})
