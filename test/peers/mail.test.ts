import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { secret } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { mailNotifier, mailServer } from 'boltbot/plugins/status/mail'
import { missingSlave } from 'boltbot/plugins/status/missing-slave'
import { baseOf, subjectsOf, threadsOf } from '../plugins/status/threads.ts'
import { commit } from '../rig/parts.ts'
import { loginTo, mailTo, type Post, startPost } from './mail/post.ts'
import { type Arrived, type MailPeer, startExim, startPythonServer } from './mail/servers.ts'
import { run } from './rig/run-program.ts'
import { absent } from './rig/worker.ts'

const hasPython = await run('/usr/bin/python3', ['-c', 'import aiosmtpd']).then(
  ({ code }) => code === 0,
  () => false,
)

stories('exim', absent('exim4'), startExim)
stories("Python's SMTP server", !hasPython && 'python3-aiosmtpd is not installed', startPythonServer)

function stories(name: string, skip: string | false, start: () => Promise<MailPeer>): void {
  describe(`mail by ${name}`, { skip, timeout: 120_000 }, () => {
    it('arrives over STARTTLS with a login, reads back as it was written, and threads', async () => {
      await using server = await start()
      const output = 'gcc -c hällo.c\nhällo.c:3: error: <ünexpected> & unknown \u{1f600}\n'
      await using post = await startPost(server, {
        status: [mailNotifier({ ...loginTo(server), addLogs: true, extraRecipients: ['team@example.org'] })],
        answers: [{ match: 'make', output, result: 2, times: 2 }, { match: 'make' }],
      })
      await post.attach()
      const who = 'Jané Doe <jane@example.org>'
      for (const revision of ['r1', 'r2', 'r3']) {
        await post.live.master.submitChange(commit(revision, { who }), 'test')
        await post.live.event('buildFinished', ({ revision: built }) => built === revision)
      }
      const mails = await post.arrived(6)
      assert.deepEqual(countsOf(mails.map(({ recipient }) => recipient)), {
        'jane@example.org': 3,
        'team@example.org': 3,
      })
      const jane = mails.filter(({ recipient }) => recipient === 'jane@example.org')
      assert.deepEqual(subjectsOf(jane), [
        '[first failure] Hello: full (main), broken since #0',
        '[still failing] Hello: full (main), broken since #0',
        '[fixed] Hello: full (main), broken since #0',
      ])
      assert.equal(threadsOf(mails).length, 1, 'one thread')
      assert.equal(new Set(mails.map(baseOf)).size, 1, 'one base subject')
      assert.equal(
        new Set(mails.map(({ messageId }) => messageId)).size,
        3,
        'both recipients have the same three mails',
      )
      const [first] = jane
      assert.match(first!.received, /with esmtpsa .*TLS1\.|robot over TLS: True/)
      assert.match(first!.text ?? '', /Jané Doe/)
      assert.match(first!.text ?? '', /hällo\.c:3: error: <ünexpected> & unknown \u{1f600}/u)
      assert.match(String(first!.html), /hällo\.c:3: error: &#60;ünexpected&#62; &#38; unknown/)
      assert.ok(
        (first!.text ?? '').split('\n').every((line) => line.length <= 80),
        'no line is longer than 80',
      )
      const to = first!.to && 'value' in first!.to ? first!.to.value.map(({ address }) => address) : []
      assert.deepEqual(to, ['jane@example.org'])
      assert.equal(first!.headers.get('auto-submitted'), 'auto-generated')
      const [log] = first!.attachments
      assert.equal(gunzipSync(log!.content).toString(), output)
    })

    it('waits while the certificate is not trusted or the password is wrong, and says so', async () => {
      await using server = await start()
      const login = loginTo(server)
      const isNotThere = async (reason: RegExp, post: Post) => {
        await post.tell('secret news')
        await until(() => reason.test(post.live.log.text()), { what: `${reason}`, seen: () => post.live.log.text() })
        assert.deepEqual(await post.outbox(), [['secret news', 'waiting', 0]])
      }
      {
        const { tlsCa: _, ...strange } = login
        await using post = await startPost(server, { status: [mailServer(strange)] })
        await isNotThere(/self-signed certificate/, post)
      }
      await using post = await startPost(server, { status: [mailServer({ ...login, smtpPassword: secret('wrong') })] })
      await isNotThere(/535/, post)
      assert.deepEqual(await server.mails(), [])
    })

    it('is put off for one recipient and refused for another; admins are told; others go on', async () => {
      await using server = await start()
      await using post = await startPost(server, { status: [mailServer(loginTo(server))] })
      await post.tell('first', { to: [mailTo('grey'), mailTo('nobody'), mailTo('team')], thread: 't' })
      await post.tell('second', { to: [mailTo('grey'), mailTo('team')], thread: 't' })
      const before = await post.arrived(3)
      assert.deepEqual(placesOf(before), [
        'root: Message to nobody@example.org could not be delivered',
        'team: first',
        'team: second',
      ])
      const notice = before.find(({ recipient }) => recipient === 'root@example.org')
      assert.match(notice?.text ?? '', /reason: {3}550 .*no such user[\s\S]*boltbot outbox retry 2/i)
      assert.match(post.live.log.text(), /message put off/)
      server.relent()
      const grey = (await post.arrived(5)).filter(({ recipient }) => recipient === 'grey@example.org')
      assert.deepEqual(subjectsOf(grey), ['first', 'second'])
      assert.deepEqual(
        (await post.outbox()).map(([subject, state]) => `${subject} ${state}`).sort(),
        [
          'first dead',
          'first sent',
          'first sent',
          'Message to nobody@example.org could not be delivered sent',
          'second sent',
          'second sent',
        ].sort(),
      )
    })

    it('comes once though the server dies when it has all of it; it is listed as in doubt', async () => {
      await using server = await start()
      await using post = await startPost(server, { status: [mailServer(loginTo(server))] })
      await post.tell('one', { text: 'told slowly', thread: 't' })
      await post.tell('two', { thread: 't' })
      await until(() => server.hasData(), {
        what: 'the server to have the message',
        deadline: 20_000,
        seen: server.said,
      })
      await server.kill()
      server.relent()
      await server.start()
      assert.deepEqual(subjectsOf(await post.arrived(2)), ['one', 'two'])
      await until(async () => (await post.outbox()).every(([, state]) => state === 'sent'), { what: 'it to be noted' })
      assert.deepEqual(await post.outbox(), [
        ['one', 'sent', 1],
        ['two', 'sent', 0],
      ])
      assert.equal((await server.mails()).length, 2)
    })

    it('waits for minutes while the server is stopped, and then comes once and in order', async () => {
      await using server = await start()
      await using post = await startPost(server, { status: [mailServer(loginTo(server))] })
      await post.tell('before')
      await post.arrived(1)
      await server.kill()
      const began = post.teller.clock.now()
      for (let n = 0; n < 20; n++) await post.tell(`${n}`, { thread: `t${n % 7}` })
      await until(() => post.teller.clock.now() - began > 5 * 60_000, {
        what: 'five minutes of the master',
        deadline: 30_000,
      })
      assert.match(post.live.log.text(), /ECONNREFUSED/)
      await server.start()
      const mails = await post.arrived(21)
      await until(async () => (await post.outbox()).every(([, state]) => state === 'sent'), { what: 'it to be noted' })
      assert.equal((await server.mails()).length, 21)
      assert.equal(threadsOf(mails.filter(({ subject }) => subject !== 'before')).length, 7)
      for (const thread of threadsOf(mails)) {
        const numbers = thread.map(({ subject }) => Number(subject))
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      }
    })

    it('of a burst goes over few connections, and a limit of mails for each of them costs no wait', async () => {
      await using server = await start()
      await using post = await startPost(server, { status: [mailServer(loginTo(server))] })
      for (let n = 0; n < 17; n++) await post.tell(`${n}`)
      const mails = await post.arrived(17)
      assert.deepEqual(
        subjectsOf(mails),
        Array.from({ length: 17 }, (_, n) => `${n}`),
      )
      assert.doesNotMatch(post.live.log.text(), /reaches nobody/)
    })

    it('tells of a missing slave and of its return without a notifier', async () => {
      await using server = await start()
      await using post = await startPost(server, {
        status: [mailServer(loginTo(server)), missingSlave({ gatherTime: '30s', settleTime: '1m' })],
        bot: { missingTimeout: '1m', notifyOnMissing: ['ann@example.org'] },
      })
      await post.attach()
      await post.live.event('slaveConnected')
      post.bot.drop('the switch is off')
      const [missing] = await post.arrived(1)
      assert.deepEqual([missing?.recipient, missing?.subject], ['ann@example.org', '[Hello] slave bot is missing'])
      assert.match(missing?.text ?? '', /away since .*\n[\s\S]*Nothing can be built by: full\./)
      await post.attach()
      const mails = await post.arrived(2)
      assert.deepEqual(subjectsOf(mails), ['[Hello] slave bot is missing', '[Hello] slave bot is back'])
      assert.equal(threadsOf(mails).length, 1)
    })
  })
}

const placesOf = (mails: readonly Arrived[]) =>
  mails.map(({ recipient, subject }) => `${recipient.split('@')[0]}: ${subject}`).sort()

const countsOf = (words: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length]))
