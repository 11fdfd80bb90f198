import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { type Bot, startBot } from './irc/bot.ts'
import { connectPerson, type Person } from './irc/person.ts'
import { makeCertificate, registerAccount, startNetwork, startNgircd } from './irc/servers.ts'
import { absent } from './rig/worker.ts'

const skip = absent('inspircd') || absent('anope') || absent('ngircd')

/** Asks the server until it says that a nick is logged in to an account. */
async function isLoggedIn(person: Person, { host }: Bot, nick: string, account: string): Promise<void> {
  await until(
    async () => {
      person.send(`WHOIS ${nick}`)
      return person.line(new RegExp(` 330 \\S+ ${nick} ${account} `), 1000).catch(() => undefined)
    },
    { what: `${nick} to be logged in`, deadline: 30_000, seen: () => `${person.lines.join('\n')}\n${host.log.text()}` },
  )
}

const says = ({ host }: Bot, pattern: RegExp) =>
  until(() => pattern.test(host.log.text()), { what: `${pattern}`, deadline: 20_000, seen: () => host.log.text() })

test('SASL EXTERNAL: the certificate that the account knows logs in, another one is refused', {
  skip,
  timeout: 90_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-certs-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [mine, other] = ['mine', 'other'].map((name) => {
    mkdirSync(join(folder, name))
    makeCertificate(join(folder, name), 'hellobot')
    return ['cert', 'key'].map((one) => readFileSync(join(folder, name, `${one}.pem`), 'utf8')) as [string, string]
  }) as [[string, string], [string, string]]
  await using network = await startNetwork({ tls: true })
  const { server } = network
  await registerAccount(server.port, 'hellobot', 'botpass')
  {
    const [cert, key] = mine
    await using owner = await connectPerson(server.tlsPort, 'owner', { ca: server.certificate(), cert, key })
    owner.say('NickServ', 'IDENTIFY hellobot botpass')
    await owner.line(/ 900 /)
    owner.say('NickServ', 'CERT ADD')
    await owner.line(/NickServ.* added/i)
  }
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  const encrypted = { host: 'localhost', port: server.tlsPort, tls: true, tlsCa: server.certificate() }
  {
    await using bot = await startBot({
      ...encrypted,
      certificate: { cert: other[0], key: other[1] },
      sasl: 'external',
    })
    await says(bot, /refused the login/)
    assert.ok(!jane.lines.some((line) => /hellobot\S* JOIN/.test(line)))
  }
  await using bot = await startBot({ ...encrypted, certificate: { cert: mine[0], key: mine[1] }, sasl: 'external' })
  await jane.line(/:hellobot!\S+ JOIN/)
  await isLoggedIn(jane, bot, 'hellobot', 'hellobot')
})

test('NickServ alone: the bot identifies before it joins, and later when services were away', {
  skip,
  timeout: 90_000,
}, async () => {
  await using network = await startNetwork()
  const { server, services } = network
  await registerAccount(server.port, 'hellobot', 'botpass')
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  const options = { port: server.port, nickserv: { password: 'botpass' } }
  {
    await using bot = await startBot(options)
    await jane.line(/:hellobot!\S+ JOIN/)
    await isLoggedIn(jane, bot, 'hellobot', 'hellobot')
  }
  await jane.line(/:hellobot!\S+ QUIT/)
  await services.stop()
  await using bot = await startBot(options)
  await jane.line(/:hellobot!\S+ JOIN/)
  await says(bot, /services do not say who the bot is/)
  await services.start()
  await isLoggedIn(jane, bot, 'hellobot', 'hellobot')
})

test('SASL while services are away: the bot is there without its account, and logs in when they are back', {
  skip,
  timeout: 90_000,
}, async () => {
  await using network = await startNetwork()
  const { server, services } = network
  await registerAccount(server.port, 'hellobot', 'botpass')
  await services.stop()
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  await using bot = await startBot({ port: server.port, sasl: { account: 'hellobot', password: 'botpass' } })
  await jane.line(/:hellobot!\S+ JOIN/)
  await says(bot, /no login by SASL is offered/)
  await services.start()
  await isLoggedIn(jane, bot, 'hellobot', 'hellobot')
  assert.ok(!jane.lines.some((line) => /hellobot!\S+ QUIT/.test(line)), 'on the same connection')
})

test('the nick of its account, taken by somebody else, is freed by services', { skip, timeout: 90_000 }, async () => {
  await using network = await startNetwork()
  const { server } = network
  await registerAccount(server.port, 'hellobot', 'botpass')
  await using _thief = await connectPerson(server.port, 'hellobot')
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  await using bot = await startBot({ port: server.port, sasl: { account: 'hellobot', password: 'botpass' } })
  await jane.line(/:hellobot_!\S+ JOIN/)
  await jane.line(/:hellobot_!\S+ NICK :?hellobot/, 30_000)
  await isLoggedIn(jane, bot, 'hellobot', 'hellobot')
})

test("the server's own password is given; a wrong one is said, and tried again", {
  skip,
  timeout: 60_000,
}, async () => {
  await using server = await startNgircd({ password: 'open' })
  {
    await using bot = await startBot({ port: server.port, password: 'wrong' })
    await says(bot, /not on the network.*(password|closing|Access denied)/i)
  }
  await using bot = await startBot({ port: server.port, password: 'open' })
  await says(bot, /joined.*#hello/)
})
