import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { irc } from 'boltbot/plugins/status/irc'
import { mailServer } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'

const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ command: ['make'] })]) })

const createStory = () =>
  createRig({
    config: defineMaster({
      projectName: 'Hello',
      transports: [],
      slaves: [bot],
      builders: [full],
      status: [
        mailServer({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org' }),
        irc({ host: 'irc.example.org', nick: 'hellobot', channels: ['#hello'] }),
      ],
      people: { mailDomain: 'example.org', table: { jane: { irc: 'account:jane' }, Nia: { irc: 'nick:nia' } } },
    }),
    slaves: { bot: [{ match: 'make', times: 2, result: 1 }, { match: 'make' }] },
  })

test('who subscribed by IRC is told there what breaks and what is good again, once, over a kill too', async () => {
  await using rig = await createStory()
  assert.deepEqual(await rig.irc.say('jane', 'jane', 'subscribe full --by irc'), [
    'You are told of builds of full in private on IRC.',
  ])
  for (const result of ['failure', 'failure', 'success'] as const) {
    await rig.irc.say('jane', 'jane', 'hello')
    await rig.force('full')
    await rig.until.build('full', result)
    await rig.advance('1m')
    await rig.restart()
  }
  await rig.advance('5m')
  const news = rig.irc.lines('jane').filter((line) => line.startsWith('build '))
  assert.deepEqual(news, [
    'build full #0 has ended: failure (failed shell).',
    'build full #2 has ended: success, it is green again.',
  ])
  assert.deepEqual(rig.mails, [])
})

test('who is not seen on IRC for a while is told by mail instead, and why', async () => {
  await using rig = await createStory()
  await rig.irc.say('jane', 'jane', 'subscribe full --by irc')
  await rig.advance('2h')
  await rig.force('full')
  const mail = await rig.until.mail()
  assert.deepEqual(
    [mail.to, mail.headers['x-boltbot-why']],
    ['jane@example.org', 'you subscribed by IRC, where you were not seen'],
  )
  assert.match(mail.subject, /^build full #0 has ended: failure/)
})

test('a nickname of the config is a place to tell things, and proves nothing', async () => {
  await using rig = await createStory()
  assert.match((await rig.irc.say('nia', 'nia', 'subscriptions')).join(), /^I do not know who you are\./)
})
