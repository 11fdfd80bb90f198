import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { builder, buildFactory, type Delivery, definePlugin, type SlaveDoor, slave } from 'boltbot/plugin-sdk'
import { createMemoryLog, createScriptedSlave, until } from 'boltbot/plugin-sdk/testing'
import { irc } from 'boltbot/plugins/status/irc'
import { createClock } from '../../core/clock.ts'
import { commit, each, sh } from '../rig/parts.ts'
import { ROOT } from '../rig/sources.ts'
import { connectPerson, type Person } from './irc/person.ts'
import { registerAccount, startNetwork } from './irc/servers.ts'
import { startLiveMaster } from './rig/live-master.ts'
import { absent } from './rig/worker.ts'

const skip = absent('inspircd') || absent('anope')
const PAGE = join(ROOT, 'docs', 'irc.md')

/** What the page shows: BOLTBOT_WRITE_DOCS=1 writes it anew, else it is compared. */
function checkPage(transcript: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8')
  const next = page.replace(/(?<=```irc\n)[\s\S]*?(?=```)/, `${transcript.join('\n')}\n`)
  if (process.env.BOLTBOT_WRITE_DOCS === '1') writeFileSync(PAGE, next)
  else assert.equal(page, next, 'docs/irc.md shows another talk: write it anew with BOLTBOT_WRITE_DOCS=1')
}

/** Another one each time. */
const CODE = /[A-Z2-9]{5}-[A-Z2-9]{5}/

/** Spans are as long as the machine was slow, and a moment is one of the past. */
const steady = (line: string) =>
  line
    .replace(/, done .*$/, ', done any moment')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-21T09:12:40.000Z')
    .replace(/\b\d+(ms|s|m)(\d+s)?\b/g, '1s')

test('a person forces a build, watches it, stops it, is refused without rights, and asks why it waits', {
  skip,
  timeout: 120_000,
}, async () => {
  await using network = await startNetwork()
  const { server } = network
  await registerAccount(server.port, 'jane', 'janepass')
  await registerAccount(server.port, 'annie', 'anniepass')
  const mails: Delivery[] = []
  const postbox = definePlugin({
    name: 'postbox',
    kind: 'status',
    needs: ['carriers', 'people'],
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
  })
  let door: SlaveDoor | undefined
  const doorPlugin = definePlugin({
    name: 'door',
    kind: 'slave',
    needs: ['slaves'],
    apply(host) {
      door = host.slaves
    },
  })
  await using live = await startLiveMaster({
    projectName: 'Hello',
    transports: [doorPlugin()],
    slaves: [slave({ name: 'bot-1', password: 'x' })],
    builders: [builder({ name: 'full', slaves: ['bot-1'], factory: buildFactory([sh({ command: 'make' })]) })],
    schedulers: [each({ builders: ['full'] })],
    people: { mailDomain: 'example.org', table: { jane: { irc: 'account:jane', roles: ['committer'] } } },
    access: { force: ['role:committer'], stop: ['role:committer'] },
    status: [
      postbox(),
      irc({
        host: '127.0.0.1',
        port: server.port,
        tls: false,
        nick: 'hellobot',
        channels: ['#hello'],
        lineRate: { burst: 20, every: '100ms' },
      }),
    ],
  })
  await using jane = await connectPerson(server.port, 'jane')
  await using mallory = await connectPerson(server.port, 'mallory')
  await using annie = await connectPerson(server.port, 'annie')
  jane.say('NickServ', 'IDENTIFY janepass')
  await jane.line(/ 900 /)
  annie.say('NickServ', 'IDENTIFY anniepass')
  await annie.line(/ 900 /)
  await annie.join('#hello')
  await jane.join('#hello')
  await mallory.join('#hello')
  await until(() => live.log.text().includes('joined'), {
    what: 'the bot to be in #hello',
    seen: () => live.log.text(),
  })

  const transcript: string[] = []
  let heard = 0
  /** The next so many lines of the bot. */
  const hear = async (count: number) => {
    const said = () => jane.heard('hellobot', '#hello')
    await until(() => said().length >= heard + count, {
      what: `${count} lines of the bot after ${transcript.at(-1)}`,
      seen: () => `${said().slice(heard).join('\n')}\n${live.log.text()}`,
    })
    const lines = said()
      .slice(heard, heard + count)
      .map(steady)
    heard += count
    transcript.push(...lines.map((line) => `<hellobot> ${line}`))
    return lines.join('\n')
  }
  const say = (person: Person, text: string, lines = 1) => {
    person.say('#hello', text)
    transcript.push(`<${person.nick}> ${text.replace(CODE, 'K7WQM-3XNPA')}`)
    return hear(lines)
  }

  assert.match(await say(jane, 'hellobot: hello'), /^jane: Hello jane\. I build Hello\./)
  assert.match(
    await say(mallory, 'hellobot: force build full I want to'),
    /^mallory: Sorry, "mallory!mallory@\S+" may not do this \(force\)/,
  )
  assert.match(
    await say(jane, 'hellobot, force build --branch main full after the move'),
    /Mind: no slave of "full" is attached/,
  )
  assert.match(await say(jane, 'hellobot: why full'), /^jane: Request #1 of full waits: .*bot-1/)
  const bot = createScriptedSlave({
    name: 'bot-1',
    clock: createClock(createMemoryLog()),
    answers: [{ match: 'make', hang: true, times: 2 }, { match: 'make', result: 1, times: 1 }, { match: 'make' }],
  })
  await bot.attach(door!)
  assert.match(await hear(1), /^jane: build full #0 has started on bot-1$/)
  assert.match(await say(mallory, 'hellobot: watch full'), /^mallory: I watch it: build full #0 runs on bot-1/)
  bot.finish()
  assert.match(await hear(2), /^jane: build full #0 has ended after 1s: success\nmallory: build full #0 has ended/)
  assert.match(await say(mallory, 'hellobot: watch full'), /^mallory: No build of "full" runs\./)
  await say(jane, 'hellobot: force build full once more', 2)
  assert.match(await say(mallory, 'hellobot: stop build full haha'), /^mallory: Sorry/)
  assert.match(await say(jane, "hellobot: stop build full it's the wrong branch", 2), /has ended after 1s: cancelled/)
  assert.match(await say(annie, 'hellobot: subscribe full --by irc'), /^annie: I do not know who you are\./)
  assert.match(
    await say(annie, 'hellobot: iam ann'),
    /^annie: I have mailed a code to the address that is known of ann\./,
  )
  const mail = await until(() => mails[0], { what: 'the mail with the code', seen: () => live.log.text() })
  assert.equal(mail.address, 'ann@example.org')
  const code = CODE.exec(mail.text)?.[0] ?? ''
  assert.match(await say(mallory, `hellobot: iam ann ${code}`), /^mallory: Anybody could have your nickname\./)
  assert.match(await say(annie, `hellobot: iam ann ${code}`), /^annie: Welcome, ann\./)
  assert.match(
    await say(annie, 'hellobot: subscribe full --by irc'),
    /^annie: You are told of builds of full in private/,
  )
  await live.master.submitChange(commit('r1', { who: 'Joe <joe@example.org>' }), 'test')
  assert.match(await hear(1), /^build full #2 of main has ended: failure \(failed sh\)\. Changes by Joe\.$/)
  await annie.line(/:hellobot!\S+ PRIVMSG annie :build full #2 of main has ended: failure/)
  assert.match(await say(mallory, 'hellobot: blame full'), /in that build: Joe$/)
  assert.match(
    await say(jane, 'hellobot: ack full the parser, I am on it', 2),
    /jane is on full: the parser, I am on it/,
  )
  await live.master.submitChange(commit('r2', { who: 'Jane <jane@example.org>' }), 'test')
  assert.match(await hear(1), /^build full #3 of main has ended: success, it is green again\.$/)
  assert.match(await say(jane, 'hellobot: stauts'), /Did you mean "status"\?/)
  checkPage(transcript)
  const audits = await live.master.query.audits()
  assert.deepEqual(
    audits
      .map(({ action, who, via, refusal }) => `${action} ${who.split('!')[0]} ${via} ${refusal === null}`)
      .reverse(),
    [
      'force mallory irc false',
      'force jane irc true',
      'force jane irc true',
      'stop mallory irc false',
      'stop jane irc true',
      'iam annie irc true',
      'iam annie irc true',
      'ack jane irc true',
    ],
  )
})
