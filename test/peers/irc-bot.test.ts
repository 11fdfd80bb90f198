import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatPlace } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { reservePort } from '../e2e/rig/ports.ts'
import { FAST, startBot } from './irc/bot.ts'
import { connectPerson } from './irc/person.ts'
import { registerAccount, startInspircd, startLinkedNetwork, startNgircd } from './irc/servers.ts'
import { absent } from './rig/worker.ts'

const skip = absent('inspircd') || absent('anope') || absent('ngircd')
test('a stolen nick is taken back when it is free; until then the bot has another one and answers to both', {
  skip,
  timeout: 60_000,
}, async () => {
  await using server = await startNgircd()
  await using thief = await connectPerson(server.port, 'hellobot')
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  await using bot = await startBot({ port: server.port })
  await jane.line(/:hellobot_!\S+ JOIN/)
  jane.say('#hello', 'hellobot_: status')
  await until(() => bot.host.records.heard.some(({ text }) => text === 'status'), {
    what: 'the bot to hear its other nick',
  })
  thief.send('QUIT')
  await jane.line(/:hellobot_!\S+ NICK :?hellobot/)
  jane.say('#hello', 'hellobot, why full')
  const heard = await until(() => bot.host.records.heard.find(({ text }) => text === 'why full'), {
    what: 'the bot to hear its own nick',
  })
  assert.equal(heard.speaker.name, 'jane')
  assert.deepEqual(
    heard.speaker.proofs?.filter((proof) => proof.startsWith('account:')),
    [],
  )
  assert.ok(heard.speaker.proofs?.includes('op:#hello'), 'jane was in the channel first')
  jane.say('hellobot', 'version')
  await until(() => bot.host.records.heard.some(({ text }) => text === 'version'), {
    what: 'the bot to hear in private',
  })
  jane.say('#hello', 'hellobotty: dance')
  jane.say('#hello', 'hello all')
  jane.say('#hello', 'hellobot: last')
  await until(() => bot.host.records.heard.some(({ text }) => text === 'last'), { what: 'the last line' })
  assert.equal(bot.host.records.heard.length, 4, 'what is said to others is not heard')
})

test('a certificate nobody vouches for is refused, and taken when its authority is given', {
  skip,
  timeout: 60_000,
}, async () => {
  await using server = await startNgircd()
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  {
    await using bot = await startBot({ host: 'localhost', port: server.tlsPort, tls: true })
    await until(() => /self-signed/.test(bot.host.log.text()), {
      what: 'the refusal in the log',
      seen: () => bot.host.log.text(),
    })
  }
  assert.ok(!jane.lines.some((line) => /hellobot\S+ JOIN/.test(line)))
  await using _bot = await startBot({ host: 'localhost', port: server.tlsPort, tls: true, tlsCa: server.certificate() })
  await jane.line(/:hellobot!\S+ JOIN/)
})

test('SASL is awaited; a wrong password is said; who speaks is known by account, on both sides of a netsplit', {
  skip,
  timeout: 120_000,
}, async () => {
  await using network = await startLinkedNetwork({ accountTag: false })
  const { server: hub, leaf } = network
  await registerAccount(hub.port, 'hellobot', 'botpass')
  await registerAccount(hub.port, 'jane', 'janepass')

  {
    await using bot = await startBot({ port: hub.port, sasl: { account: 'hellobot', password: 'wrong' } })
    await until(() => /refused the login/.test(bot.host.log.text()), {
      what: 'the refusal in the log',
      seen: () => bot.host.log.text(),
    })
  }
  await using bot = await startBot({ port: hub.port, sasl: { account: 'hellobot', password: 'botpass' } })
  let jane = await connectPerson(leaf.port, 'jane')
  await jane.join('#hello')
  await until(
    async () => {
      jane.send('WHOIS hellobot')
      return jane.line(/ 330 .* hellobot hellobot /, 1000).catch(() => undefined)
    },
    {
      what: 'the bot to be logged in',
      deadline: 20_000,
      seen: () => `${jane.lines.join('\n')}\n${bot.host.log.text()}`,
    },
  )

  const accounts = async (text: string) => {
    jane.say('#hello', `hellobot: ${text}`)
    const heard = await until(() => bot.host.records.heard.find((one) => one.text === text), {
      what: `the bot to hear ${text}`,
    })
    return [heard.speaker.who, heard.speaker.proofs?.filter((proof) => proof.startsWith('account:'))]
  }
  const [stranger, none] = await accounts('before login')
  assert.match(String(stranger), /^jane!/)
  assert.deepEqual(none, [], 'the nick alone proves nothing')
  jane.say('NickServ', 'IDENTIFY janepass')
  await jane.line(/ 900 /)
  assert.deepEqual(await accounts('after login'), ['jane', ['account:jane', 'account:jane@127.0.0.1']])

  const carrier = bot.host.records.carriers[0]!
  const delivery = {
    id: 1,
    ref: 'a.b',
    subject: 'full is broken',
    text: 'full is broken\n\nstep make failed',
    urgency: 'normal' as const,
  }
  const deliver = (address: string) =>
    carrier.deliver(
      { ...delivery, address, attempt: 1, inDoubt: false, createdAt: bot.host.host.clock.now() },
      { signal: AbortSignal.timeout(10_000) },
    )
  assert.equal(await carrier.addressOf('jane'), 'account:jane')
  assert.equal(await carrier.addressOf('mallory'), null)
  assert.deepEqual(await deliver('account:jane'), { status: 'delivered' })
  await jane.line(/PRIVMSG jane :full is broken/)
  await jane.line(/PRIVMSG jane :step make failed/)
  assert.deepEqual(await deliver('account:joe'), { status: 'absent', reason: 'account:joe was not seen on IRC lately' })

  const command = bot.host.records.chatCommands[0]!
  const call = {
    speaker: { name: 'x', who: 'x' },
    place: 'cli',
    words: [],
    signal: AbortSignal.timeout(10_000),
    reply() {},
  }
  assert.match(
    String(await command.run(call)),
    /^127\.0\.0\.1: there as hellobot, in #hello; the server answers in \S+\.$/,
  )

  await leaf.kill()
  await bot.announce('news during the split')
  await leaf.start()
  await jane[Symbol.asyncDispose]()
  jane = await connectPerson(leaf.port, 'jane')
  await jane.join('#hello')
  await until(
    async () => {
      jane.send('NAMES #hello')
      return /hellobot/.test(await jane.line(/ 353 /, 5000))
    },
    { what: 'the servers to be linked again', deadline: 40_000 },
  )
  await bot.announce('news after the split')
  await jane.line(/PRIVMSG #hello :news after the split/)
  await jane[Symbol.asyncDispose]()
})

test('a server that is down at the start keeps nothing from starting; what waited too long is summed up', {
  skip,
  timeout: 60_000,
}, async () => {
  await using server = await startInspircd({ linkPort: await reservePort(), strict: true })
  await server.kill()
  const began = Date.now()
  await using bot = await startBot({ port: server.port })
  assert.ok(Date.now() - began < 1000, 'it starts at once')
  for (let i = 0; i < 60; i++) await bot.announce(`old news ${i}`)
  await new Promise((resolve) => setTimeout(resolve, 300_000 / FAST + 500)) // as long as news are news
  for (let i = 0; i < 30; i++) await bot.announce(`fresh news ${i}`)
  await server.start()
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  await jane.line(/fresh news 29/, 30_000)
  const said = jane.heard('hellobot', '#hello')
  assert.equal(
    said.filter((line) => /^I was away: 60 messages of the last \d+ min were not told here\./.test(line)).length,
    1,
    said.join('\n'),
  )
  assert.ok(!said.some((line) => /old news/.test(line)))
  assert.ok(said.length < 15, `thirty news on ${said.length} lines`)
  assert.ok(!/Excess Flood/i.test(bot.host.log.text()))
})

test('answers go before news, and long texts are cut between characters', { skip, timeout: 60_000 }, async () => {
  await using server = await startInspircd({ linkPort: await reservePort(), strict: true })
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  await using bot = await startBot({ port: server.port }, 1)
  await jane.line(/:hellobot!\S+ JOIN/)
  const place: ChatPlace = await bot.place('/#hello')
  const long = `start ${'ä€😀👩‍👩‍👧'.repeat(60)} end`
  for (let i = 0; i < 12; i++) place.announce(`news ${i} ${'x'.repeat(300)}`)
  jane.say('hellobot', 'status')
  const message = await until(() => bot.host.records.heard[0], { what: 'the question' })
  message.reply(long)
  await jane.line(/PRIVMSG jane :.* end/, 30_000)
  const seen = [...jane.lines].filter((line) => /hellobot!\S+ PRIVMSG/.test(line))
  const news = seen
    .slice(
      0,
      seen.findIndex((line) => / end$/.test(line)),
    )
    .filter((line) => /news/.test(line)).length
  assert.ok(news < 12, `${news} news went before the answer`)
  assert.equal(jane.heard('hellobot', 'jane').join('').replace(/ /g, ''), long.replace(/ /g, ''))
  assert.ok(!jane.lines.some((line) => /Excess Flood/.test(line)), 'at its real pace no server takes it for a flood')
  for (const line of seen) assert.ok(Buffer.byteLength(line) <= 510, `${Buffer.byteLength(line)} bytes`)
})
