import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { irc } from 'boltbot/plugins/status/irc'
import { shellCommand } from 'boltbot/plugins/steps'

const createStory = () =>
  createRig({
    config: defineMaster({
      projectName: 'Hello',
      transports: [],
      slaves: [slave({ name: 'bot' })],
      builders: [
        builder({ name: 'full', slaves: ['bot'], factory: buildFactory([shellCommand({ command: ['make'] })]) }),
      ],
      status: [irc({ host: 'irc.example.org', nick: 'hellobot', channels: ['#hello'] })],
      access: { force: ['anyone'], moderate: ['anyone'] },
    }),
    slaves: { bot: [{ match: 'make', hang: true }] },
  })

test('what was promised in a channel and in private is kept by the master behind a kill, once', async () => {
  await using rig = await createStory()
  await rig.irc.say('#hello', 'jane', 'hellobot: force build full')
  assert.match((await rig.irc.say('Joe', 'Joe', 'watch full')).join(), /^I watch it: build full #0 runs on bot/)
  await rig.restart({ after: '10m' })
  rig.slave('bot').finish()
  await rig.advance('1m')
  await rig.restart()
  await rig.advance('1m')
  const ends = (where: string) => rig.irc.lines(where).filter((line) => line.includes('has ended after'))
  assert.deepEqual(
    [ends('#hello'), ends('joe')],
    [['jane: build full #0 has ended after 10m: success'], ['build full #0 has ended after 10m: success']],
  )
})

test('the bot says so when it is in a channel already', async () => {
  await using rig = await createStory()
  const join = (channel: string) => rig.irc.say('#hello', 'jane', `hellobot: join ${channel}`)
  assert.deepEqual(await join('#hello'), ['jane: I am in #hello already.'])
  assert.deepEqual(await join('#other'), ['jane: I go to #other.'])
  assert.deepEqual(await join('Other'), ['jane: I am in #Other already.'])
  await rig.irc.say('#other', 'jane', 'hellobot: leave #other')
  assert.deepEqual(await join('#other'), ['jane: I go to #other.'])
})
