import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { createFakeClock } from 'boltbot/plugin-sdk/testing'
import type { Client } from '../../../plugins/status/irc/client.ts'
import { watchMembers } from '../../../plugins/status/irc/members.ts'
import { watchPresence } from '../../../plugins/status/irc/presence.ts'
import { createRoster } from '../../../plugins/status/irc/roster.ts'

const HOUR = 3_600_000

/** A client that hears what the test says. */
function createStory({
  whox = true,
  caps = [] as readonly string[],
  clock = createFakeClock(),
  activity = new Map<string, number>(),
} = {}) {
  const asked: string[] = []
  const lower = (text: string) => text.toLowerCase()
  const client = Object.assign(new EventEmitter(), {
    user: { nick: 'hellobot', username: 'h', host: 'h' },
    network: { options: whox ? { WHOX: true } : {}, cap: { isEnabled: (name: string) => caps.includes(name) } },
    caseLower: lower,
    caseCompare: (a: string, b: string) => lower(a) === lower(b),
  }) as unknown as Client & EventEmitter // as much of one as is used here
  const presence = watchPresence(client, clock, activity)
  const members = watchMembers(client)
  const roster = createRoster(client, clock, presence, (...words) => void asked.push(words.join(' ')))
  return {
    clock,
    asked,
    roster,
    members,
    seen: (identity: string) => presence.seen(identity, HOUR)?.nick,
    line: (line: string) => client.emit('raw', { from_server: true, line }),
    comes: (nick: string, channel: string) => client.emit('join', { nick, channel, ident: 'u', hostname: 'host' }),
    is: (name: string, event: object) => client.emit(name, event),
  }
}

test('channels are asked one after the other; who is there, and not away, was seen', async () => {
  const story = createStory()
  story.roster.begin(['#a', '#b'])
  story.comes('hellobot', '#a')
  story.comes('hellobot', '#b')
  assert.deepEqual(story.asked, ['WHO #a %tuhnfa,77'])
  story.line(':srv 354 hellobot 77 j host Jane H@ jane')
  story.line(':srv 354 hellobot 77 l host Lunch G lunch')
  story.line(':srv 354 hellobot 77 n host Nobody H 0')
  story.line(':srv 354 hellobot 78 e host Eve H account-of-another-question')
  story.line(':srv 354 hellobot 77 h h hellobot H hellobot')
  story.line(':srv 354')
  assert.equal(story.roster.isSettled, false)
  story.line(':srv 315 hellobot #A :End')
  assert.deepEqual(story.asked, ['WHO #a %tuhnfa,77', 'WHO #b %tuhnfa,77'])
  story.line(':srv 315 hellobot #b :End')
  assert.equal(story.roster.isSettled, true)
  assert.equal(story.seen('account:jane'), 'Jane')
  assert.equal(story.seen('account:lunch'), undefined, 'away')
  assert.equal(story.seen('account:0'), undefined)
  assert.equal(story.seen('host:n@host'), 'Nobody')
  assert.equal(story.seen('account:account-of-another-question'), undefined)
  assert.equal(story.seen('account:hellobot'), undefined, 'the bot is nobody')
  await story.clock.advance(HOUR + 1)
  assert.equal(story.seen('account:jane'), undefined)
})

test('who comes later is asked for only where the server does not say who it is', () => {
  const silent = createStory()
  silent.comes('Joe', '#a')
  assert.deepEqual(silent.asked, ['WHO Joe %tuhnfa,77'])
  silent.line(':srv 354 hellobot 77 u host Joe H joe')
  silent.line(':srv 315 hellobot Joe :End')
  assert.equal(silent.seen('account:joe'), 'Joe')
  const told = createStory({ caps: ['extended-join'] })
  told.is('join', { nick: 'Joe', channel: '#a', ident: 'u', hostname: 'host', account: 'joe' })
  assert.deepEqual([told.asked, told.seen('account:joe')], [[], 'Joe'])
  const tagged = createStory({ caps: ['account-tag'] })
  tagged.is('join', { nick: 'Joe', channel: '#a', ident: 'u', hostname: 'host', tags: { account: 'joe' } })
  assert.deepEqual([tagged.asked, tagged.seen('account:joe')], [[], 'Joe'])
  const poor = createStory({ whox: false })
  poor.roster.begin(['#a'])
  poor.comes('hellobot', '#a')
  poor.comes('Joe', '#a')
  assert.deepEqual([poor.asked, poor.roster.isSettled, poor.seen('host:u@host')], [[], true, 'Joe'])
})

test('a server that does not answer, or does not let the bot in, is not waited for', async () => {
  const story = createStory()
  story.roster.begin(['#a', '#b', '#closed'])
  story.comes('hellobot', '#a')
  story.comes('hellobot', '#b')
  story.is('irc error', { error: 'invite_only_channel', channel: '#closed' })
  await story.clock.advance(10_000)
  assert.deepEqual(story.asked, ['WHO #a %tuhnfa,77', 'WHO #b %tuhnfa,77'])
  assert.equal(story.roster.isSettled, false)
  await story.clock.advance(10_000)
  assert.equal(story.roster.isSettled, true)
  const none = createStory()
  none.roster.begin([])
  assert.equal(none.roster.isSettled, true)
})

test('accounts and hosts that change are followed; a nick that changes hands is forgotten', () => {
  const story = createStory({ caps: ['account-tag'] })
  story.is('privmsg', { nick: 'jane', ident: 'j', hostname: 'h', account: 'jane' })
  story.is('user updated', { nick: 'jane', new_ident: 'j', new_hostname: 'cloaked' })
  assert.equal(story.seen('host:j@cloaked'), 'jane')
  story.is('nick', { nick: 'jane', new_nick: 'jane_' })
  assert.equal(story.seen('account:jane'), 'jane_')
  story.is('account', { nick: 'jane_', account: false })
  assert.equal(story.seen('account:jane'), undefined)
  story.is('account', { nick: 'jane_', account: 'jane' })
  story.is('quit', { nick: 'jane_' })
  assert.equal(story.seen('account:jane'), undefined)
})

test('a new connection makes nobody who was silent for long active again', async () => {
  const activity = new Map<string, number>()
  const clock = createFakeClock()
  const first = createStory({ clock, activity })
  first.is('privmsg', { nick: 'jane', ident: 'j', hostname: 'h', account: 'jane' })
  await clock.advance(HOUR + 1)
  const second = createStory({ clock, activity })
  second.comes('hellobot', '#a')
  second.line(':srv 354 hellobot 77 j h jane H jane')
  second.line(':srv 354 hellobot 77 n h new H new')
  assert.equal(second.seen('account:jane'), undefined)
  assert.equal(second.seen('account:new'), 'new')
  await clock.advance(HOUR + 1)
  const third = createStory({ clock, activity })
  third.comes('hellobot', '#a')
  third.line(':srv 354 hellobot 77 n h new H new')
  assert.equal(third.seen('account:new'), undefined)
  third.is('privmsg', { nick: 'new', ident: 'n', hostname: 'h', account: 'new' })
  assert.equal(third.seen('account:new'), 'new')
})

test('of a channel that the bot was thrown out of nobody is op any more', () => {
  const { is, comes, members } = createStory()
  comes('hellobot', '#a')
  is('userlist', { channel: '#a', users: [{ nick: 'jane', modes: ['o'] }] })
  assert.deepEqual([members.statusOf('#A', 'Jane'), members.has('JANE')], [['op', 'voice'], true])
  is('kick', { nick: 'jane', kicked: 'hellobot', channel: '#a', message: 'out' })
  assert.deepEqual([members.statusOf('#a', 'jane'), members.has('jane')], [[], false])
})
