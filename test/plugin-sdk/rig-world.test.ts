import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  builder,
  buildFactory,
  defineMaster,
  definePlugin,
  type PluginInstance,
  secret,
  slave,
} from 'boltbot/plugin-sdk'
import { createRig, type RigOptions, withRig } from 'boltbot/plugin-sdk/testing'
import { irc } from 'boltbot/plugins/status/irc'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'

const bot = slave({ name: 'bot' })
const full = builder({
  name: 'full',
  slaves: [bot],
  factory: buildFactory([shellCommand({ command: ['make', 'test'] })]),
})
const notifier = mailNotifier({
  fromaddr: 'Hello builds <ci@example.org>',
  relayhost: 'mail.example.org',
  smtpUser: 'ci',
  smtpPassword: secret('smtp'),
  mode: 'problem',
  extraRecipients: ['team@example.org'],
})
const chat = irc({
  host: 'irc.example.org',
  nick: 'hellobot',
  sasl: { account: 'hellobot', password: secret('irc') },
  channels: ['#hello', { name: '#quiet', notify: [] }],
})

/** Tells jane, by what she reads first. */
const teller = definePlugin({
  name: 'teller',
  kind: 'status',
  needs: ['notify'],
  durable: true,
  apply(host) {
    host.tap('buildFinished', async ({ eventId, result }) => {
      const to = [{ who: 'jane', via: ['irc', 'mail'] }]
      await host.notify({ key: `${eventId}`, to, subject: `It was a ${result}`, text: 'Look at it.' })
    })
  },
})()

const rigOf = (status: readonly PluginInstance<'status'>[]): RigOptions => ({
  config: defineMaster({
    projectName: 'Hello',
    transports: [],
    slaves: [bot],
    builders: [full],
    status,
    people: { mailDomain: 'example.org', table: { jane: { irc: 'account:jane' } } },
  }),
  slaves: { bot: [{ match: 'make test', output: 'not ok\n', result: 2 }] },
  secrets: { smtp: 'x', irc: 'y' },
})

test('mails are as the mail plugin writes them, and go nowhere', async () => {
  await using rig = await createRig(rigOf([notifier]))
  await rig.commit({ who: 'jane', comments: 'Add the café', branch: 'main' })
  await rig.force('full')
  await rig.until.build('full', 'failure')
  const mail = await rig.until.mail()
  assert.equal(mail.to, 'team@example.org')
  assert.match(mail.subject, /^\[first failure\] Hello: full/)
  assert.match(mail.text, /not ok/)
  assert.match(mail.html ?? '', /not ok/)
  assert.deepEqual(mail.shown, { from: 'ci@example.org', to: ['team@example.org'], cc: [] })
  assert.equal(mail.headers['auto-submitted'], 'auto-generated')
  assert.equal(rig.mails.length, 1)
})

test('without a mail plugin mails are as they were given', async () => {
  await using rig = await createRig(rigOf([teller]))
  await rig.force('full')
  const { to, subject, text } = await rig.until.mail()
  assert.deepEqual({ to, subject, text }, { to: 'jane@example.org', subject: 'It was a failure', text: 'Look at it.' })
})

test('mails survive a kill, and none comes twice', async () => {
  await using rig = await createRig(rigOf([notifier, teller]))
  await rig.force('full')
  await rig.until.mail((mail) => mail.subject === 'It was a failure')
  await rig.restart()
  await rig.force('full')
  await rig.until.build('full', 'failure')
  await rig.until.build('full', 'failure')
  await rig.until.mail((mail) => mail.subject === 'It was a failure')
  assert.equal(rig.mails.filter(({ subject }) => subject === 'It was a failure').length, 2)
})

test('the IRC bot speaks in its channels, and answers', async () => {
  await using rig = await createRig(rigOf([chat, teller]))
  const [answer] = await rig.irc.say('#hello', 'jane', 'hellobot: status full')
  assert.match(answer ?? '', /^jane: .*full/)
  assert.deepEqual(await rig.irc.say('#hello', 'jane', 'good morning'), [])
  assert.match((await rig.irc.say('jane', 'jane', 'version')).join(), /boltbot/i)
  await rig.force('full')
  await rig.until.build('full', 'failure')
  await rig.advance('10s')
  assert.match(rig.irc.lines('#hello').at(-1) ?? '', /full.*failure/)
  assert.deepEqual(rig.irc.lines('#quiet'), [])
  assert.deepEqual(rig.irc.lines('jane').slice(-2), ['It was a failure', 'Look at it.'])
  assert.deepEqual(rig.mails, [], 'she was there, so she was told there')
  await assert.rejects(rig.irc.say('#nowhere', 'jane', 'hello?'), { code: 'BOLT_TESTING_MISUSED', message: /#hello/ })
})

test('the IRC bot is there again after a kill', async () => {
  await using rig = await createRig(rigOf([chat]))
  assert.equal((await rig.irc.say('#hello', 'jane', 'hellobot: status full')).length, 1)
  await rig.restart({ after: '1h' })
  assert.equal((await rig.irc.say('#hello', 'jane', 'hellobot: status full')).length, 1)
})

test('an assertion that fails shows the story so far', async () => {
  const failed = withRig(rigOf([]), async (rig) => {
    await rig.force('full')
    await rig.until.build('full')
    assert.equal(rig.mails.length, 1)
  })
  await assert.rejects(failed, (error: Error) => {
    assert.ok(error instanceof assert.AssertionError)
    for (const shown of [error.message, error.stack ?? ''])
      assert.match(shown, /the story so far:\n[\s\S]* {2}buildFinished full #0 on bot failure/)
    return true
  })
})
