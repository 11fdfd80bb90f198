import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Doctor, Finding } from 'boltbot/plugin-sdk'
import { createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { type IrcOptions, irc } from 'boltbot/plugins/status/irc'
import { checkCertificate } from '../../core/cli/doctor/certificate.ts'
import { createClock } from '../../core/clock.ts'
import { reservePort } from '../e2e/rig/ports.ts'
import { connectPerson } from './irc/person.ts'
import { registerAccount, startNetwork, startNgircd } from './irc/servers.ts'
import { absent } from './rig/worker.ts'

const skip = absent('inspircd') || absent('anope') || absent('ngircd')

/** What `boltbot doctor` finds of a bot with these options. */
async function examine(options: IrcOptions): Promise<readonly string[]> {
  const log = createMemoryLog()
  const clock = createClock(log)
  const doctor: Doctor = {
    secrets: { resolve: (value) => (typeof value === 'string' ? value : value.name) },
    clock,
    log,
    isRunning: false,
    signal: new AbortController().signal,
    port: () => Promise.reject(new Error('not asked')),
    certificate: (what, certificate) => checkCertificate(what, certificate, clock.now()),
  }
  const { definition, options: given } = irc({
    nick: 'hellobot',
    host: '127.0.0.1',
    tls: false,
    channels: ['#hello'],
    ...options,
  })
  const checked = await definition.schema!['~standard'].validate(given)
  assert.ok(!checked.issues, JSON.stringify(checked.issues))
  const findings = await definition.doctor!(doctor, checked.value as never) // the plugin's own options
  return findings.map(({ what, verdict, text }: Finding) => `${verdict} ${what}: ${text}`)
}

test('the doctor goes to a network and into its channels, and says nothing there', {
  skip,
  timeout: 60_000,
}, async () => {
  await using server = await startNgircd()
  await using jane = await connectPerson(server.port, 'jane')
  await jane.join('#hello')
  await jane.join('#closed')
  jane.send('MODE #closed +i')
  await jane.line(/MODE #closed \+i/)
  const tls = { host: 'localhost', port: server.tlsPort, tls: true, name: 'net' }
  const [refused] = await examine(tls)
  assert.match(refused ?? '', /^fail IRC network net: .*self-signed/)
  const good = await examine({ ...tls, tlsCa: server.certificate(), channels: ['#hello', '#closed'] })
  assert.equal(good[0], 'ok IRC network net: It lets "hellobot" in.')
  assert.match(good[1] ?? '', /^ok IRC network net: The certificate of .+ is good until 20\d\d-/)
  assert.equal(good[2], 'ok IRC channel #hello on net: It lets the bot in.')
  assert.match(good[3] ?? '', /^fail IRC channel #closed on net: It does not let the bot in: .*invite/i)
  await jane.line(/^:hellobot!\S+ QUIT/)
  assert.ok(!jane.lines.some((line) => /^:hellobot!\S+ (PRIVMSG|NOTICE)/.test(line)))

  await using _other = await connectPerson(server.port, 'hellobot')
  const [taken] = await examine({ port: server.port, name: 'net' })
  assert.equal(
    taken,
    'ok IRC network net: It lets "hellobot_" in; the nick "hellobot" is taken, perhaps by the bot itself. Nothing is encrypted.',
  )
  const [away] = await examine({ port: await reservePort(), name: 'net' })
  assert.match(away ?? '', /^fail IRC network net: .*ECONNREFUSED/)
})

test('the doctor says whether the login works, by SASL and by NickServ', { skip, timeout: 120_000 }, async () => {
  await using network = await startNetwork()
  const { server } = network
  await registerAccount(server.port, 'hellobot', 'botpass')
  const at = { port: server.port, name: 'net' }
  const first = async (options: Partial<IrcOptions>) => (await examine({ ...at, ...options }))[0] ?? ''
  assert.match(
    await first({ sasl: { account: 'hellobot', password: 'botpass' } }),
    /^ok IRC network net: It lets "hellobot_?" in, logged in as "hellobot"/,
  )
  assert.match(
    await first({ sasl: { account: 'hellobot', password: 'wrong' } }),
    /^fail IRC network net: The IRC network "net" refused the login: /,
  )
  assert.match(
    await first({ nickserv: { account: 'hellobot', password: 'botpass' } }),
    /^ok IRC network net: It lets "hellobot_?" in, logged in as "hellobot"/,
  )
  assert.match(
    await first({ nickserv: { account: 'hellobot', password: 'wrong' } }),
    /^fail IRC network net: It lets "hellobot_?" in, but does not log it in/,
  )
})
