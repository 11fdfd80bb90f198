import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, type MasterConfig, slave } from 'boltbot/plugin-sdk'
import { createRig, type Rig } from 'boltbot/plugin-sdk/testing'
import { type IrcOptions, irc } from 'boltbot/plugins/status/irc'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { missingSlave } from 'boltbot/plugins/status/missing-slave'
import { web } from 'boltbot/plugins/status/web'
import { shellCommand } from 'boltbot/plugins/steps'

const bot = slave({ name: 'bot/1 ü', missingTimeout: '10m', notifyOnMissing: 'ann@example.org' })
const full = builder({
  name: 'full test/ü',
  slaves: [bot],
  factory: buildFactory([shellCommand({ command: ['make', 'test'] })]),
})
const ALL = ['started', 'finished', 'slaveMissing', 'slaveBack', 'reconfig'] as const

function configOf(over: Partial<MasterConfig['options']> = {}, chat: Partial<IrcOptions> = {}) {
  const mail = { fromaddr: 'ci@example.org', relayhost: 'mail.example.org', extraRecipients: ['team@example.org'] }
  const rate = { lineRate: { burst: 100, every: '1ms' } }
  return defineMaster({
    projectName: 'Hello',
    transports: [],
    slaves: [bot],
    builders: [full],
    http: { port: 0 },
    people: { mailDomain: 'example.org', table: { jane: { irc: 'account:jane' } } },
    access: { force: ['anyone'] },
    outbox: { budget: false },
    status: [
      web(),
      mailNotifier(mail),
      mailNotifier({ id: 'summaries', ...mail, buildSetSummary: true }),
      missingSlave({ gatherTime: '0s', settleTime: '1s' }),
      irc({ host: 'irc.example.org', nick: 'hellobot', channels: [{ name: '#hello', notify: ALL }], ...rate, ...chat }),
    ],
    ...over,
  } as MasterConfig['options'])
}

/** Each link leads to a page of what it names. Gives how many there were. */
async function follow(rig: Rig, texts: readonly string[]): Promise<number> {
  const links = new Set(texts.flatMap(linksIn))
  for (const link of links) {
    assert.ok(link.startsWith(rig.url()), link)
    const page = await fetch(link)
    assert.equal(page.status, 200, link)
    const number = /builds\/(\d+)(?:\/steps\/\d+\/logs\/stdio)?$/.exec(link)?.[1]
    const title = /<title>([^<]*)/.exec(await page.text())?.[1] ?? ''
    assert.match(title, number === undefined ? /bot\/1 ü/ : new RegExp(`full test/ü.*${number}`), link)
  }
  return links.size
}

const linksIn = (text: string) => text.match(/http:\/\/[^\s"<>]+/g) ?? []

test('every link in mails and chat leads to the page it is about', async () => {
  await using rig = await createRig({
    config: configOf(),
    slaves: { [bot.name]: [{ match: 'make test', times: 2, output: 'hello\n', result: 1 }] },
  })
  await rig.irc.say('jane', 'jane', 'subscribe "full test/ü" --by irc')
  await rig.irc.say('#hello', 'jane', 'hellobot: force build "full test/ü" for the links')
  await rig.until.build(full.name)
  await rig.force(full.name)
  await rig.until.build(full.name)
  await rig.force(full.name)
  await rig.until.build(full.name)
  rig.slave(bot.name).drop()
  await rig.advance('11m')
  await rig.advance('10s')
  const channel = rig.irc.lines('#hello')
  const texts = () => rig.mails.flatMap(({ text, html }) => [text, html ?? ''])
  const kinds: readonly (readonly [what: string, RegExp])[] = [
    ['news of a start', /^build full test\/ü #0 has started on .* http\S+$/],
    ['news of an end', /^build full test\/ü #0 has ended: .* http\S+$/],
    ['the start of a forced build', /^jane: build full test\/ü #0 has started on .* http\S+$/],
    ['the end of a forced build', /^jane: build full test\/ü #0 has ended after .* http\S+$/],
    ['a missing slave', /^slave bot\/1 ü is missing: .* http\S+$/],
  ]
  for (const [what, form] of kinds)
    assert.ok(
      channel.some((line) => form.test(line)),
      `${what}:\n${channel.join('\n')}`,
    )
  assert.match(rig.irc.lines('jane').join('\n'), /^build full test\/ü #0 .*failure.*\nhttp\S+$/m, 'a subscriber')
  for (const subject of [/first failure/, /still failing|fixed/, /builds? of buildset/, /missing/])
    assert.ok(
      rig.mails.some((mail) => subject.test(mail.subject) && linksIn(mail.text).length > 0),
      `${subject}: ${rig.mails.map((mail) => mail.subject).join('; ')}`,
    )
  assert.ok(texts().some((text) => /The whole log:\s+http\S+\/steps\/0\/logs\/stdio/.test(text)))
  assert.ok((await follow(rig, [...channel, ...rig.irc.lines('jane'), ...texts()])) >= 4)
  // The slave comes back with the next master, whose server has another port.
  const told = texts().length
  await rig.restart()
  await rig.advance('1m')
  const since = [...rig.irc.lines('#hello').slice(channel.length), ...texts().slice(told)]
  assert.match(since.join('\n'), /^slave bot\/1 ü is back http\S+$/m)
  assert.ok(
    since.some((text) => /is back\./.test(text) && linksIn(text).length === 1),
    since.join('\n'),
  )
  await follow(rig, since)
})

test('there are no links without pages, where nobody serves them, or where they are not wanted', async () => {
  const quiet = async (config: MasterConfig) => {
    await using rig = await createRig({ config })
    await rig.force(full.name)
    await rig.until.build(full.name)
    await rig.advance('10s')
    assert.match(rig.irc.lines('#hello').join('\n'), /has ended: success/)
    return {
      lines: rig.irc.lines('#hello').join('\n'),
      mails: rig.mails.map(({ text, html }) => text + html).join('\n'),
    }
  }
  const { status = [] } = configOf().options
  const withoutWeb = await quiet(configOf({ status: status.filter(({ id }) => id !== 'status/web') }))
  assert.deepEqual([linksIn(withoutWeb.lines), linksIn(withoutWeb.mails)], [[], []])
  const { http: _, ...options } = configOf({ status: status.filter(({ id }) => id !== 'status/web') }).options
  const withoutServer = await quiet(defineMaster(options as never))
  assert.deepEqual([linksIn(withoutServer.lines), linksIn(withoutServer.mails)], [[], []])
  const unwanted = await quiet(configOf({}, { links: false }))
  assert.deepEqual(linksIn(unwanted.lines), [])
  assert.ok(linksIn(unwanted.mails).length > 0)
})

test('a mail names the command for the log where there are no pages', async () => {
  const { status = [] } = configOf().options
  const config = configOf({ status: status.filter(({ id }) => id !== 'status/web') })
  await using rig = await createRig({ config, slaves: { [bot.name]: [{ match: 'make test', result: 1 }] } })
  await rig.force(full.name)
  await rig.until.build(full.name)
  await rig.advance('10s')
  const mail = rig.mails.find(({ subject }) => /first failure/.test(subject))
  assert.match(mail?.text ?? '', /The whole log, on the master's machine:\n\n {4}boltbot log 'full test\/ü\/0' shell\n/)
})
