import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, type MasterConfig, type PersonOptions, slave } from 'boltbot/plugin-sdk'
import { createRig, createTestHost } from 'boltbot/plugin-sdk/testing'
import { irc } from 'boltbot/plugins/status/irc'
import { mailNotifier, mailServer } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'
import { tellSubscribers } from '../../../plugins/status/irc/subscribers.ts'
import { finished } from './events.ts'

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

test('what no subscriber is told need not be stored by itself', async () => {
  const { host, records } = createTestHost()
  assert.equal(await tellSubscribers(host, finished()), 'passed')
  const people = { ...host.people, interested: async () => [{ who: 'jane', reasons: [] }] }
  assert.equal(await tellSubscribers({ ...host, people }, finished()), undefined)
  assert.equal(records.notices.length, 1)
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

test('an ack quiets private lines too, over a kill; another kind of failure and the end of it are told', async () => {
  const steps = ['make', 'check'].map((name) => shellCommand({ name, command: [name], haltOnFailure: true }))
  const red = builder({ name: 'full', slaves: [bot], factory: buildFactory(steps) })
  await using rig = await createRig({
    config: defineMaster({
      projectName: 'Hello',
      transports: [],
      slaves: [bot],
      builders: [red],
      status: [
        irc({ host: 'irc.example.org', nick: 'hellobot', channels: ['#hello'], notify: ['failure', 'success'] }),
      ],
      people: { table: { jane: { irc: 'account:jane' } } },
    }),
    slaves: {
      bot: [
        { match: 'make', times: 3, result: 1 },
        { match: 'check', times: 2, result: 1 },
        { match: 'make' },
        { match: 'check' },
      ],
    },
  })
  assert.deepEqual(await rig.irc.say('jane', 'jane', 'subscribe full success failure --by irc'), [
    'You are told of builds of full in private on IRC (success, failure).',
  ])
  const build = async (result: 'failure' | 'success') => {
    await rig.irc.say('jane', 'jane', 'hello')
    await rig.force('full')
    await rig.until.build('full', result)
    await rig.advance('1m')
  }
  await build('failure')
  await rig.irc.say('#hello', 'joe', 'hellobot: ack full the compiler')
  await build('failure')
  await rig.restart()
  await build('failure')
  assert.match((await rig.irc.say('#hello', 'joe', 'hellobot: status full')).join(), /\(joe is on it: the compiler\)/)
  await build('failure')
  await build('failure')
  await build('success')
  const told = [
    'build full #0 has ended: failure (failed make).',
    'build full #3 has ended: failure (failed check), still red.',
    'build full #5 has ended: success, it is green again.',
  ]
  const news = (where: string) => rig.irc.lines(where).filter((line) => line.startsWith('build '))
  assert.deepEqual([news('jane'), news('#hello')], [told, told])
})

const network = (name: string) => ({ host: `irc.${name}.example.org`, name, nick: 'hellobot', channels: [`#${name}`] })
const createNetworks = (bots: MasterConfig['options']['status'], table: Readonly<Record<string, PersonOptions>>) =>
  createRig({
    config: defineMaster({
      projectName: 'Hello',
      transports: [],
      slaves: [bot],
      builders: [full],
      status: [mailServer({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org' }), ...(bots ?? [])],
      people: { mailDomain: 'example.org', table },
    }),
    slaves: { bot: [{ match: 'make' }] },
  })

test('who subscribed to starts is told of them, and of nothing else', async () => {
  await using rig = await createStory()
  await rig.irc.say('jane', 'jane', 'subscribe full started --by irc')
  await rig.force('full', { reason: 'to see it start' })
  await rig.until.build('full', 'failure')
  await rig.advance('1m')
  const news = rig.irc.lines('jane').filter((line) => line.startsWith('build '))
  assert.deepEqual(news, ['build full #0 has started on bot (to see it start)'])
})

test('who chose events by mail gets the mails of the notifiers about those', async () => {
  const server = { fromaddr: 'ci@example.org', relayhost: 'mail.example.org' }
  await using rig = await createRig({
    config: defineMaster({
      projectName: 'Hello',
      transports: [],
      slaves: [bot],
      builders: [full],
      status: [
        mailNotifier({ ...server, mode: 'all' }),
        irc({ host: 'irc.example.org', nick: 'hellobot', channels: ['#hello'] }),
      ],
      people: { mailDomain: 'example.org', table: { jane: { irc: 'account:jane' }, joe: { irc: 'account:joe' } } },
    }),
    slaves: { bot: [{ match: 'make', times: 1, result: 1 }, { match: 'make' }] },
  })
  assert.deepEqual(await rig.irc.say('jane', 'jane', 'subscribe full recovery'), [
    'You are told of builds of full by mail (recovery).',
  ])
  await rig.irc.say('joe', 'joe', 'subscribe full')
  for (const result of ['failure', 'success', 'success'] as const) {
    await rig.force('full')
    await rig.until.build('full', result)
  }
  await rig.until.mail(({ to, subject }) => to === 'jane@example.org' && subject.startsWith('[fixed]'))
  const count = (who: string) => rig.mails.filter(({ to }) => to === `${who}@example.org`).length
  await rig.advance('1m')
  assert.deepEqual([count('jane'), count('joe')], [1, 3])
})

test('of two IRC plugins one tells: where the person was seen last; by mail when neither sees them', async () => {
  await using rig = await createNetworks([irc(network('one')), irc({ id: 'two', ...network('two') })], {
    jane: { irc: ['account:jane@one', 'account:jane2@two'] },
  })
  assert.match(
    (await rig.irc.say('#two', 'jane2', 'hellobot: subscribe full finished --by irc')).join(),
    /in private on IRC/,
  )
  const build = async () => {
    await rig.force('full')
    await rig.until.build('full')
    await rig.advance('1m')
    return [...['jane', 'jane2'].map((nick) => rig.irc.lines(nick).length), rig.mails.length]
  }
  assert.deepEqual(await build(), [0, 1, 0], 'known on the second')
  await rig.irc.say('#one', 'jane', 'good morning')
  assert.deepEqual(await build(), [1, 1, 0], 'seen last on the first')
  await rig.advance('1m')
  await rig.irc.say('#two', 'jane2', 'hellobot: hello')
  await rig.restart()
  await rig.advance('30s')
  await rig.irc.say('#two', 'jane2', 'back again')
  assert.deepEqual(await build(), [1, 2, 0])
  await rig.advance('2h')
  assert.deepEqual(await build(), [1, 2, 1])
  assert.equal(rig.mails[0]?.to, 'jane@example.org')
})

test('an account of one network is nobody on another', async () => {
  await using rig = await createNetworks([irc({ networks: [network('one'), network('two')] })], {
    jane: { irc: 'account:jane@one' },
    joe: { irc: 'account:joe' },
  })
  await rig.irc.say('#one', 'jane', 'hellobot: subscribe full finished --by irc')
  await rig.advance('2h')
  for (const who of ['jane', 'joe']) await rig.irc.say('#two', who, 'I am another one of that name')
  await rig.force('full')
  await rig.until.build('full')
  assert.equal((await rig.until.mail()).to, 'jane@example.org')
  assert.deepEqual(rig.irc.lines('jane'), [])
})

test('a nickname of the config is a place to tell things, and proves nothing', async () => {
  await using rig = await createStory()
  assert.match((await rig.irc.say('nia', 'nia', 'subscriptions')).join(), /^I do not know who you are\./)
})
