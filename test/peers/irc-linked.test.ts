import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { type Bot, FAST, startBot } from './irc/bot.ts'
import { connectPerson, type Person } from './irc/person.ts'
import { registerAccount, startLinkedNetwork, startNgircd } from './irc/servers.ts'
import { absent } from './rig/worker.ts'

const skip = absent('inspircd') || absent('anope')

test('on linked servers a bot that is killed, banned, kicked, split off, robbed of its nick, and whose server is restarted ten times is back each time and says nothing twice', {
  skip,
  timeout: 175_000,
}, async (t) => {
  await using network = await startLinkedNetwork({ strict: true })
  const { server: hub, leaf } = network
  await registerAccount(hub.port, 'hellobot', 'botpass')
  await using jane = await connectPerson(hub.port, 'jane')
  await jane.join('#hello')
  jane.send('OPER oper operpass')
  await jane.line(/ 381 /)
  /** The servers would link by themselves, after some seconds. */
  const startLeaf = async () => {
    await leaf.start()
    jane.send('CONNECT leaf.test.invalid')
  }
  await using bot = await startBot({ port: leaf.port, sasl: { account: 'hellobot', password: 'botpass' } })

  const { announce, isBackAndHeard, saysNothingTwice } = createStory(t, bot, jane)
  await isBackAndHeard('news before.')

  jane.send('KILL hellobot :go away')
  await jane.line(/hellobot!\S+ QUIT/)
  await isBackAndHeard('news after the kill.')

  jane.send('KICK #hello hellobot :out')
  await jane.line(/KICK #hello hellobot/)
  await isBackAndHeard('news after the kick.')

  {
    await using joe = await connectPerson(leaf.port, 'joe')
    joe.send('OPER oper operpass')
    await joe.line(/ 381 /)
    joe.send('KLINE hellobot@127.0.0.1 3s :banned')
    await jane.line(/hellobot!\S+ QUIT/)
    await announce('news during the ban.')
  }
  await isBackAndHeard('news after the ban.')

  for (let round = 1; round <= 10; round++) {
    await leaf.kill()
    await jane.line(/hellobot!\S+ QUIT/, 20_000)
    await announce(`news while down ${round}.`)
    await startLeaf()
    await isBackAndHeard(`news of round ${round}.`)
  }

  await leaf.kill()
  await jane.line(/hellobot!\S+ QUIT/, 20_000)
  await using _thief = await connectPerson(hub.port, 'hellobot')
  await startLeaf()
  await isBackAndHeard('news after the theft.')

  saysNothingTwice()
})

test('on ngIRCd, without services, a bot that is killed, kicked, banned, and whose server is restarted ten times is back each time and says nothing twice', {
  skip: absent('ngircd'),
  timeout: 175_000,
}, async (t) => {
  await using server = await startNgircd()
  let jane = await connectPerson(server.port, 'jane')
  const enter = async () => {
    await jane.join('#hello')
    jane.send('OPER oper operpass')
    await jane.line(/ 381 /)
  }
  await enter()
  await using bot = await startBot({ port: server.port }, 3 * FAST)
  const said: string[] = []
  for (const [what, line] of [
    ['before', ''],
    ['after the kill', 'KILL hellobot :go away'],
    ['after the kick', 'KICK #hello hellobot :out'],
    ['after the ban', 'KLINE hellobot!*@* 3 :banned'],
  ] as const) {
    const story = createStory(t, bot, jane, said)
    if (line !== '') {
      jane.send(line)
      await jane.line(/hellobot!\S+ QUIT|KICK #hello hellobot/)
      await story.announce(`news until ${what}.`)
    }
    await story.isBackAndHeard(`news ${what}.`)
    story.saysNothingTwice()
  }
  for (let round = 1; round <= 10; round++) {
    await server.kill()
    await createStory(t, bot, jane, said).announce(`news while down ${round}.`)
    await jane[Symbol.asyncDispose]()
    await server.start()
    jane = await connectPerson(server.port, 'jane')
    await enter()
    const story = createStory(t, bot, jane, said)
    await story.isBackAndHeard(`news of round ${round}.`)
    story.saysNothingTwice()
  }
  await jane[Symbol.asyncDispose]()
})

/** What a bot says in #hello, and whether jane hears it once. `said`: all that was said before. */
function createStory(t: { diagnostic(text: string): void }, bot: Bot, jane: Person, said: string[] = []) {
  const announce = async (text: string) => {
    said.push(text)
    await bot.announce(text)
  }
  /** The servers are linked, and the bot is in the channel under its own nick. */
  const isBack = () =>
    until(
      async () => {
        jane.send('NAMES #hello')
        if (/ :.*\bhellobot\b/.test(await jane.line(/ 353 .*#hello/, 5000))) return true
        // Asked again when something happened: who asks too much is thrown out.
        await jane.line(/:hellobot!\S+ JOIN| NICK :?hellobot/, 3000)
        return false
      },
      { what: 'the bot to be in #hello', deadline: 60_000, seen: () => bot.host.log.text() },
    )
  return {
    announce,
    async isBackAndHeard(text: string) {
      await isBack()
      await announce(text)
      await jane.line(new RegExp(`PRIVMSG #hello :.*${text}`))
      t.diagnostic(text)
    },
    saysNothingTwice() {
      const heard = jane.lines.filter((line) => / (PRIVMSG|NOTICE) #hello :/.test(line)).join('\n')
      for (const text of said) assert.ok(heard.split(text).length - 1 <= 1, `said twice: ${text}\n${heard}`)
      assert.doesNotMatch(bot.host.log.text(), /Excess Flood/)
    },
  }
}
