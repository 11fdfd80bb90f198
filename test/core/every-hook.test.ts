import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, HOOK_KINDS, isJson, slave } from 'boltbot/plugin-sdk'
import { commit, each, sh } from '../rig/parts.ts'
import { createRig } from '../rig/rig.ts'

test('one day at a master fires every hook, each with a frozen event of plain data', async () => {
  const heard = new Map<string, unknown>()
  const hear = (name: string) => (event: unknown) => void heard.set(name, event)
  const everything = definePlugin({
    name: 'everything',
    kind: 'service',
    apply(host) {
      host.tap('refineChange', hear('refineChange'))
      host.tap('changeAccepted', hear('changeAccepted'))
      host.tap('sourceFailing', hear('sourceFailing'))
      host.tap('guardAction', hear('guardAction'))
      host.tap('actionJudged', hear('actionJudged'))
      host.tap('buildsetCreated', hear('buildsetCreated'))
      host.tap('requestQueued', hear('requestQueued'))
      host.tap('requestCancelled', hear('requestCancelled'))
      host.tap('chooseRequest', hear('chooseRequest'))
      host.tap('chooseSlave', hear('chooseSlave'))
      host.tap('buildStarted', hear('buildStarted'))
      host.tap('stepStarted', hear('stepStarted'))
      host.tap('logAppended', hear('logAppended'))
      host.tap('stepFinished', hear('stepFinished'))
      host.tap('buildFinished', hear('buildFinished'))
      host.tap('buildsetDoomed', hear('buildsetDoomed'))
      host.tap('buildsetFinished', hear('buildsetFinished'))
      host.tap('slaveConnected', hear('slaveConnected'))
      host.tap('slaveLost', hear('slaveLost'))
      host.tap('slaveMissing', hear('slaveMissing'))
      host.tap('slaveBack', hear('slaveBack'))
      host.tap('configApplied', hear('configApplied'))
      host.tap('configRejected', hear('configRejected'))
    },
  })
  const broken = definePlugin({
    name: 'broken',
    kind: 'source',
    needs: ['pollers'],
    apply(host) {
      host.registerPoller({ name: 'broken', interval: '1m', poll: () => Promise.reject(new Error('unreachable')) })
    },
  })
  const build = builder({ name: 'full', slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]) })
  await using rig = await createRig({
    slaves: [slave({ name: 'bot', password: 'x', missingTimeout: '3m' })],
    builders: [build],
    schedulers: [each({ builders: ['full'] })],
    sources: [broken()],
    plugins: [everything()],
  })
  const { requests } = await rig.master.force({ builder: 'full', who: 'jane', reason: 'to see' }, 'test')
  await rig.master.cancel({ request: requests[0]!, who: 'jane', reason: 'seen' }, 'test')
  await rig.master.submitChange(commit('r1'), 'test')
  const bot = await rig.slave('bot', [
    {
      match: 'make',
      output: 'hello\n',
      // Longer than the pause between two events about new output.
      run: async () => void (await rig.clock.sleep(1000)),
      result: 2,
    },
  ])
  await rig.settle()
  await rig.clock.advance('2s')
  await rig.settle()
  bot.drop('the cable was cut')
  await rig.master.configRejected(['master.cfg.ts:1:1: nothing is right'])
  await rig.settle()
  await rig.clock.advance('5m')
  await rig.settle()
  await rig.slave('bot')
  await rig.settle()

  assert.deepEqual(
    Object.keys(HOOK_KINDS).filter((name) => !heard.has(name)),
    [],
    'these were not heard of',
  )
  for (const [name, event] of heard) {
    assert.ok(Object.isFrozen(event), `the event of ${name} is frozen`)
    assert.ok(isJson(event), `the event of ${name} is plain data: ${JSON.stringify(event)}`)
  }
})
