import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { type Bot, startBot } from './irc/bot.ts'
import { connectPerson, type Person } from './irc/person.ts'
import { registerAccount, startNetwork, startNgircd } from './irc/servers.ts'
import { absent } from './rig/worker.ts'

const skip = absent('inspircd') || absent('anope') || absent('ngircd')

/** Brings a message to an address, as the outbox does. */
function deliver({ host }: Bot, address: string, subject: string) {
  const delivery = { id: 1, ref: 'a.b', subject, text: subject, urgency: 'normal' as const, attempt: 1, inDoubt: false }
  const createdAt = host.host.clock.now()
  return host.records.carriers[0]!.deliver({ ...delivery, address, createdAt }, { signal: AbortSignal.timeout(10_000) })
}

/** Until the bot knows who is there. */
async function settled(bot: Bot): Promise<void> {
  await until(async () => (await deliver(bot, 'account:nobody@127.0.0.1', 'x')).status === 'absent', {
    what: 'the bot to know who is there',
    deadline: 30_000,
    seen: () => bot.host.log.text(),
  })
}

async function logIn(port: number, account: string): Promise<Person> {
  const person = await connectPerson(port, account)
  person.say('NickServ', `IDENTIFY ${account}pass`)
  await person.line(/ 900 /)
  return person
}

test('a bot that is new there knows the accounts of those who are silent, come, or log in later', {
  skip,
  timeout: 120_000,
}, async () => {
  await using network = await startNetwork()
  const { server } = network
  for (const account of ['jane', 'annie', 'away', 'later'])
    await registerAccount(server.port, account, `${account}pass`)
  await using jane = await logIn(server.port, 'jane')
  await jane.join('#hello')
  await using gone = await logIn(server.port, 'away')
  await gone.join('#hello')
  gone.send('AWAY :lunch')
  await gone.line(/ 306 /)
  await using later = await connectPerson(server.port, 'later')
  await later.join('#hello')

  await using bot = await startBot({ port: server.port, channels: ['#hello', '#other'] })
  await settled(bot)
  assert.deepEqual(await deliver(bot, 'account:jane', 'for the silent'), { status: 'delivered' })
  await jane.line(/PRIVMSG jane :for the silent/)
  assert.equal((await deliver(bot, 'account:away', 'x')).status, 'absent', 'marked as away')
  assert.equal((await deliver(bot, 'account:later', 'x')).status, 'absent', 'the nick alone is nobody')
  later.say('NickServ', 'IDENTIFY laterpass')
  await later.line(/ 900 /)
  const isTold = (address: string) =>
    until(async () => (await deliver(bot, address, 'now')).status === 'delivered', { what: `${address} to be told` })
  await isTold('account:later')
  await later.line(/PRIVMSG later :now/)
  await using annie = await logIn(server.port, 'annie')
  await annie.join('#other')
  await isTold('account:annie')
  await annie.line(/PRIVMSG annie :now/)
})

test('who takes the nick of somebody the bot knew is told nothing', { skip, timeout: 120_000 }, async () => {
  await using network = await startNetwork()
  const { server } = network
  await registerAccount(server.port, 'jane', 'janepass')
  await using bot = await startBot({ port: server.port })
  await settled(bot)
  {
    await using jane = await logIn(server.port, 'jane')
    jane.say('hellobot', 'hello')
    await until(() => bot.host.records.heard.length > 0, { what: 'the bot to hear jane' })
    assert.deepEqual(await deliver(bot, 'account:jane', 'for jane'), { status: 'delivered' })
    jane.send('QUIT')
    await jane.line(/ERROR/)
  }
  await using thief = await connectPerson(server.port, 'jane')
  assert.equal((await deliver(bot, 'account:jane', 'for jane')).status, 'absent')
  thief.say('hellobot', 'version')
  await until(() => bot.host.records.heard.length > 1, { what: 'the bot to hear the thief' })
  assert.deepEqual(thief.heard('hellobot', 'jane'), [])
})

test('a server that cannot tell who is there is not asked; those who speak are known', {
  skip,
  timeout: 60_000,
}, async () => {
  await using server = await startNgircd()
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  await using bot = await startBot({ port: server.port })
  await jane.line(/:hellobot!\S+ JOIN/)
  await settled(bot)
  assert.equal((await deliver(bot, 'host:*jane@*', 'x')).status, 'absent')
  jane.say('#hello', 'good morning')
  await until(async () => (await deliver(bot, 'host:*jane@*', 'hello')).status === 'delivered', {
    what: 'jane to be told',
  })
  await jane.line(/PRIVMSG jane :hello/)
})
