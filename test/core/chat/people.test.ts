import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BuildNews, type Delivery, definePlugin, type People } from 'boltbot/plugin-sdk'
import type { RigOptions } from '../../rig/rig.ts'
import { chatConfig, createChatRig, openPlace } from './rig.ts'

/** Keeps the mails. */
const postbox = (mails: Delivery[]) =>
  definePlugin({
    name: 'postbox',
    needs: ['carriers', 'people'],
    kind: 'status',
    apply(host) {
      host.registerCarrier({
        scheme: 'mail',
        addressOf: (who) => host.people.mailAddress(who),
        async deliver(delivery) {
          mails.push(delivery)
          return { status: 'delivered' }
        },
      })
    },
  })()

async function createStory(over: Partial<RigOptions> = {}) {
  const mails: Delivery[] = []
  const config = chatConfig({
    people: { mailDomain: 'example.org', table: { jane: { roles: ['committer'] }, root: { mail: null } } },
    access: { force: ['role:committer'] },
    status: [postbox(mails)],
    ...over,
  })
  const talk = await createChatRig(config)
  return {
    ...talk,
    mails,
    /** Says a line as somebody from outside, and gives the answer. */
    async say(text: string, proofs: readonly string[] = ['account:jd@net', 'host:j@home']) {
      const before = talk.said.length
      await talk.chat.hear({
        speaker: { name: 'nick', who: 'jd', proofs },
        text,
        reply: (line) => void talk.said.push(line),
      })
      await talk.rig.settle()
      return talk.said.slice(before).join('\n')
    },
    codeOf: (mail: Delivery | undefined) => / {4}iam \S+ (\S+)/.exec(mail?.text ?? '')?.[1] ?? 'none',
    [Symbol.asyncDispose]: () => talk[Symbol.asyncDispose](),
  }
}

test('an account becomes a person by a code mailed to their address, and may then what they may', async () => {
  await using story = await createStory()
  const { say, mails, codeOf, rig } = story
  assert.match(await say('force build full'), /^Sorry/)
  assert.equal(await say('iam'), 'I do not know who you are. Say "iam NAME".')
  assert.match(await say('I am jane'), /^I have mailed a code to the address that is known of jane\./)
  assert.deepEqual([mails[0]?.address, mails[0]?.urgency], ['jane@example.org', 'high'])
  const code = codeOf(mails[0])
  assert.match(code, /^[A-Z2-9]{5}-[A-Z2-9]{5}$/)
  assert.match(await say(`iam jane ${code}`, ['account:eve@net']), /^This is not the code/, 'for another account')
  assert.match(await say(`iam bob ${code}`), /^This is not the code/, 'for another person')
  assert.match(await say(`iam jane ${code.toLowerCase().replace('-', ' ')}`), /^Welcome, jane\./)
  assert.equal(await say('iam', ['account:JD@net']), 'You are jane.')
  assert.match(await say('force build full'), /^Build of full is asked for/)
  assert.match(await say('force build full', ['account:jd@other']), /^Sorry/, 'another network')
  assert.match(await say(`iam jane ${code}`), /^This is not the code/, 'used up')
  assert.equal(await say('iam forget'), 'I have forgotten that you are jane.')
  assert.match(await say('force build full'), /^Sorry/)
  const audits = (await rig.master.query.audits()).filter(({ action }) => action === 'iam').toReversed()
  assert.deepEqual(
    audits.map(({ reason, refusal }) => [reason, refusal === null]),
    [
      ['asks for a code: account:jd@net is "jane"', true],
      ['account:eve@net is "jane"', false],
      ['account:jd@net is "bob"', false],
      ['account:jd@net is "jane"', true],
      ['account:jd@net is "jane"', false],
      ['account:jd@net is no longer "jane"', true],
    ],
  )
})

test('a code expires, can be guessed at five times, and is mailed three times an hour', async () => {
  await using story = await createStory()
  const { say, mails, codeOf, rig } = story
  await say('iam jane')
  await rig.clock.advance(15 * 60_000)
  assert.match(await say(`iam jane ${codeOf(mails[0])}`), /too old\. Say "iam NAME"/)
  await say('iam jane')
  for (const left of [4, 3, 2]) assert.match(await say('iam jane WRONG'), new RegExp(`You may try ${left} more times`))
  assert.match(await say('iam jane WRONG'), /You may try 1 more time\./)
  assert.match(await say('iam jane WRONG'), /Say "iam NAME" for a new one/)
  assert.match(await say(`iam jane ${codeOf(mails[1])}`), /^This is not the code/)
  await say('iam jane', ['account:other@net'])
  assert.match(await say('iam jane', ['account:third@net']), /^Too many codes/)
  assert.equal(mails.length, 3)
  await rig.clock.advance(3_600_000)
  await say('iam jane')
  assert.match(await say(`iam jane ${codeOf(mails[3])}`), /^Welcome/)
})

test('nobody is linked by a nick or host, to an address of their own making, or where the config says no', async () => {
  await using story = await createStory()
  const { say, mails, ask } = story
  assert.match(await say('iam jane', ['host:j@home']), /^Anybody could have your nickname\./)
  assert.match(await say('iam root'), /^No mail address of "root" is known\./)
  assert.match(await say('iam "jane <eve@evil.org>"'), /^No mail address of/)
  assert.match(await ask('iam jane'), /^"iam" makes no sense here: you are the user of the master\./)
  assert.equal(mails.length, 0)
  await using closed = await createStory({ access: { iam: ['via:web'] } })
  assert.match(await closed.say('iam jane'), /^Sorry, "jd" may not do this \(iam\)/)
})

test('a link holds over a restart of the master', async () => {
  const mails: Delivery[] = []
  await using story = await createStory({ status: [postbox(mails)] })
  await story.say('iam jane')
  await story.say(`iam jane ${story.codeOf(mails[0])}`)
  const again = openPlace(await story.rig.restart())
  await using _ = again.rig
  const said: string[] = []
  const speaker = { name: 'nick', who: 'jd', proofs: ['account:jd@net'] }
  await again.chat.hear({ speaker, text: 'iam', reply: (line) => void said.push(line) })
  assert.deepEqual(said, ['You are jane.'])
})

test('people subscribe to builders and branches, and are known by their proofs', async () => {
  await using story = await createStory({
    people: { mailDomain: 'example.org', table: { jane: { irc: 'account:jane@net' } } },
    access: {},
  })
  const { say, ask, rig } = story
  assert.match(await say('subscribe full'), /^I do not know who you are\. Say "iam NAME"/)
  const jane = ['account:jane@net']
  assert.equal(await say('subscribe Full --by irc', jane), 'You are told of builds of full in private on IRC.')
  assert.equal(await say('subscribe --branch main', jane), 'You are told of builds of the branch main by mail.')
  assert.match(await say('subscribe ful', jane), /^There is no builder "ful"\. Did you mean "full"\?/)
  assert.match(await say('subscribe full --by pigeon', jane), /^There is no way "pigeon"/)
  assert.match(await say('subscribe', jane), /^Usage: subscribe BUILDER\|--branch NAME/)
  assert.equal(await say('subscriptions', jane), 'You are told of full in private on IRC, the branch main by mail.')
  assert.match(await ask('subscribe full --by irc', 'bob'), /^How IRC knows "bob" is not known\./)
  assert.equal(await ask('subscribe full', 'bob'), 'You are told of builds of full by mail.')
  assert.deepEqual(
    (await rig.master.people.subscriptions()).map(({ who, name, by }) => `${who} ${name} ${by}`),
    ['bob full mail', 'jane full irc', 'jane main mail'],
  )
  assert.match(await say('unsubscribe full', jane), /^You are told no longer of builds of full/)
  assert.match(await say('unsubscribe full', jane), /^"jane" has not subscribed to builder full\./)
})

test('a subscription can be to some events; those that are none of builds, or none of mails, are refused', async () => {
  let people: People | undefined
  const looker = definePlugin({
    name: 'looker',
    kind: 'status',
    needs: ['people'],
    apply(host) {
      people = host.people
    },
  })
  await using story = await createStory({
    people: { mailDomain: 'example.org', table: { jane: { irc: 'account:jane@net' } } },
    access: {},
    status: [looker()],
  })
  const { say } = story
  const jane = ['account:jane@net']
  assert.equal(
    await say('subscribe full FAILURE failure recovery', jane),
    'You are told of builds of full by mail (failure, recovery).',
  )
  assert.equal(
    await say('subscribe --branch main started --by irc', jane),
    'You are told of builds of the branch main in private on IRC (started).',
  )
  assert.match(await say('subscribe full failre', jane), /^There is no event "failre"\. Did you mean "failure"\?/)
  assert.match(await say('subscribe full slaveMissing', jane), /^There is no event "slaveMissing"\. Known: "started", /)
  assert.match(
    await say('subscribe full started', jane),
    /^No mail tells that a build has started\. Leave out "started"/,
  )
  assert.equal(
    await say('subscriptions', jane),
    'You are told of full by mail (failure, recovery), the branch main in private on IRC (started).',
  )
  const build = { builder: 'full', branch: 'main', blamelist: [], changes: [], at: 0 }
  const told = async (by: 'mail' | 'irc', ...kinds: readonly BuildNews[]) =>
    (await people!.interested({ ...build, kinds }, by)).map(({ who }) => who)
  assert.deepEqual(await told('mail', 'finished', 'failure', 'problem'), ['jane'])
  assert.deepEqual(await told('mail', 'finished', 'success'), [])
  assert.deepEqual(await told('irc', 'started'), ['jane'])
  assert.deepEqual(await told('irc', 'finished', 'failure', 'problem'), [])
  assert.equal(await say('subscribe full', jane), 'You are told of builds of full by mail.')
  assert.deepEqual(await told('mail', 'finished', 'success'), ['jane'], 'the last word counts')
})

test('in a channel moving, muting and turning news on are for moderators; in private they are everybody’s own', async () => {
  await using story = await createStory({ access: { moderate: ['op:#hello'] } })
  const { say, rig } = story
  for (const line of ['mute', 'unmute', 'notify on failure', 'notify off'])
    assert.match(await say(line), /^Sorry, "jd" may not do this \(moderate\)/, line)
  assert.match(await say('notify list'), /^Nothing is told here/)
  assert.match(await say('mute', ['op:#hello']), /^I keep quiet here/)
  const moves: string[] = []
  const go = async (name: string) => {
    moves.push(name)
    return 'done'
  }
  const said: string[] = []
  const talk = rig.master.openChat({
    id: 'net/nick',
    via: 'irc',
    personal: true,
    announce: () => {},
    join: go,
    leave: go,
  })
  const tell = async (text: string, proofs: readonly string[] = []) => {
    await talk.hear({ speaker: { name: 'nick', who: 'jd', proofs }, text, reply: (line) => void said.push(line) })
    return said.at(-1) ?? ''
  }
  assert.match(await tell('notify on failure'), /^Told here: failure/)
  assert.match(await tell('mute'), /^I keep quiet here/)
  assert.match(await tell('join #else'), /^Sorry/)
  assert.match(await tell('leave #hello'), /^Sorry/)
  assert.equal(await tell('join #else', ['op:#hello']), 'done')
  assert.match(await tell('join two words', ['op:#hello']), /^Usage: join CHANNEL\./)
  assert.deepEqual(moves, ['#else'])
})

test('a slave is sent away, back and home by chat', async () => {
  await using story = await createStory()
  const { ask, say, rig } = story
  await rig.slave('bot-1')
  assert.equal(await ask('away bot-1 2h new disk'), 'Slave bot-1 is not missing before 2h are over.')
  assert.match(await ask('list slaves'), /bot-1: idle, away: new disk/)
  assert.equal(await ask('back bot-1'), 'Slave bot-1 is expected again.')
  assert.doesNotMatch(await ask('list slaves'), /away: new disk/)
  assert.match(await ask('away bot-1 soon'), /^Usage: away SLAVE DURATION/)
  assert.equal(await ask('graceful bot-1 new kernel'), 'Slave bot-1 exits when it has finished what it runs.')
  assert.match(await ask('graceful bot-2'), /not connected/)
  for (const line of ['away bot-1 2h', 'back bot-1', 'graceful bot-1']) assert.match(await say(line), /\(pause\)/, line)
})
