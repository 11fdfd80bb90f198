import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import {
  type BuilderView,
  type BuildFinished,
  builder,
  buildFactory,
  type Handover,
  type Notice,
  type Query,
  secret,
} from 'boltbot/plugin-sdk'
import { createFakeClock, createTestHost, type TestHostOptions, until } from 'boltbot/plugin-sdk/testing'
import { type MailOptions, type Mode, mailNotifier } from 'boltbot/plugins/status/mail'
import { AT, buildView, change, finished } from './events.ts'
import { createSmtpSink, type SinkOptions, type SmtpSink } from './smtp-sink.ts'

const JANE = 'Jane Doe <jane@example.org>'

describe('mail about a failed build', () => {
  it('reaches the committer over real SMTP and says what broke, where, and what to do', async () => {
    await using post = await office()
    await post.tell(finished())
    const [taken] = post.sink.mails
    assert.ok(taken)
    assert.deepEqual([taken.from, taken.to], ['buildbot@example.org', ['jane@example.org']])
    assert.deepEqual(post.sink.mails[1]?.to, ['team@example.org'])
    const { mail } = taken
    assert.equal(mail.subject, '[first failure] Hello: full (main), broken since #12')
    assert.equal(mail.from?.text, '"Hello builds" <buildbot@example.org>')
    assert.deepEqual([textOf(mail.to), textOf(mail.cc)], ['jane@example.org', 'team@example.org'])
    assert.equal(mail.date?.getTime(), AT + 100_000)
    assert.equal(mail.headers.get('auto-submitted'), 'auto-generated')
    assert.equal(mail.headers.get('x-boltbot-result'), 'failure')
    assert.equal(mail.headers.get('x-boltbot-previous-result'), 'success')
    assert.equal(
      mail.text,
      `Build #12 of "full" of Hello failed, the build before was a success.

http://localhost:8010/builders/full/builds/12

Result:    failure (failed compile)
Builder:   full #12
Slave:     bot-linux
Reason:    scheduler "tests"
Branch:    main
Revision:  1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d
Took:      1m12s
Blamelist: Jane Doe <jane@example.org>

The first step that failed is "compile" (step 1): compile failed.
Its log "stdio" ends with:

  hello.c:3: error: expected ';'
  make: *** [all] Error 1

Changes in this build:

  1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d by Jane Doe <jane@example.org>,
  2023-11-14 22:13 UTC
      Break the build
      On purpose.
    files: hello.c, hello.h

If your change is in the list: look at the failing step, and fix or revert it.
The whole log:

    http://localhost:8010/builders/full/builds/12/steps/1/logs/stdio

--
Boltbot of Hello, https://hello.example.org/
`,
    )
    assert.doesNotMatch(mail.text ?? '', /^.{79}/m)
  })

  it('has the same Message-ID when the same event comes again, and another for another event', async () => {
    await using post = await office()
    for (const eventId of [40, 40, 41]) await post.test.fire('buildFinished', finished({ eventId }))
    const ids = post.test.records.notices.map(({ extra }) => extra?.messageId)
    assert.equal(ids[0], ids[1])
    assert.notEqual(ids[0], ids[2])
    assert.match(String(ids[0]), /^<boltbot\.40\.[0-9a-f]{24}@example\.org>$/)
  })

  it('is sent once though its event is given twice', async () => {
    await using post = await office()
    for (let i = 0; i < 3; i++) await post.tell(finished())
    assert.equal(post.sink.mails.length, 2)
  })

  it('is made without the build too, when that was deleted meanwhile', async () => {
    await using post = await office({}, {}, { build: async () => undefined })
    await post.tell(finished())
    assert.match(post.sink.mails[0]?.mail.text ?? '', /^Changes in this build: 1, no longer kept by the master\.$/m)
  })
})

describe('which builds mail is sent about', () => {
  const cases: readonly [Mode, string][] = [
    [
      'all',
      'success>failure failure>failure failure>success success>success first>failure success>exception success>warnings success>cancelled',
    ],
    ['failing', 'success>failure failure>failure first>failure success>exception'],
    ['passing', 'failure>success success>success'],
    ['problem', 'success>failure first>failure success>exception'],
    ['change', 'success>failure failure>success success>exception success>warnings success>cancelled'],
    ['warnings', 'success>warnings'],
    ['exception', 'success>exception'],
    ['cancelled', 'success>cancelled'],
  ]
  for (const [mode, expected] of cases) {
    it(`in mode ${mode}`, async () => {
      await using post = await office({ mode })
      const all = `${cases[0]?.[1]} success>retry`.split(' ')
      for (const [i, pair] of all.entries()) {
        const [previous, result] = pair.split('>')
        const previousResult = previous === 'first' ? null : (previous as 'success')
        await post.tell(finished({ eventId: 100 + i, result: result as 'success', previousResult }))
      }
      const sent = post.teamMails().map(({ mail }) => all[Number(mail.headers.get('x-boltbot-event')) - 100])
      assert.deepEqual(sent, expected.split(' '))
    })
  }

  it('by builder, branch and category', async () => {
    const full = builder({ name: 'full', slaves: ['b'], factory: buildFactory([]) })
    const category = async (name: string) => ({ category: name === 'full' ? 'active' : null }) as BuilderView
    await using post = await office(
      { builders: [full, 'other'], branches: ['main', null], categories: ['active'] },
      {},
      { builder: category },
    )
    await post.tell(finished({ eventId: 1 }))
    await post.tell(finished({ eventId: 2, builder: 'quick' }))
    await post.tell(finished({ eventId: 3, builder: 'other' }))
    await post.tell(finished({ eventId: 4, branch: 'side' }))
    await post.tell(finished({ eventId: 5, branch: null }))
    assert.deepEqual(
      post.teamMails().map(({ mail }) => mail.headers.get('x-boltbot-event')),
      ['1', '5'],
    )
  })
})

describe('who gets the mail', () => {
  it('each person once, by the lookup of the config', async () => {
    const lookup = async (who: string) => (who === 'nobody' ? null : `${who}@example.net`)
    await using post = await office({ lookup, extraRecipients: ['joe@example.net', 'team@example.org'] })
    await post.tell(finished({ blamelist: ['joe', 'nobody', 'ann', 'JOE'] }))
    assert.deepEqual(post.sink.mails.map(({ to }) => to[0]?.toLowerCase()).sort(), [
      'ann@example.net',
      'joe@example.net',
      'team@example.org',
    ])
    assert.equal(post.test.log.find('warn', 'no mail address known, no mail to this person').length, 1)
  })

  it('the extra recipients alone, in To, when nobody else is to be told', async () => {
    await using post = await office({ sendToInterestedUsers: false })
    await post.tell(finished())
    assert.deepEqual(post.sink.mails[0]?.to, ['team@example.org'])
    assert.equal(textOf(post.sink.mails[0]?.mail.to), 'team@example.org')
  })

  it('nobody, and no connection is made, when there is nobody to tell', async () => {
    await using post = await office({ extraRecipients: [] })
    await post.tell(finished({ blamelist: [] }))
    assert.equal(post.sink.connections.made, 0)
  })

  it('nobody else, whatever a name tries', async () => {
    const names = [
      'a@b.org\r\nRCPT TO:<evil@example.org>',
      'a@b.org, evil@example.org',
      '"evil@example.org" <x y@b.org>',
      'a@b.org\r\nBcc: evil@example.org',
      '<evil@example.org> <evil2@example.org>,',
      'group: evil@example.org;',
      '-oQ/tmp@',
      '@example.org',
      'a@b..org',
      `${'x'.repeat(300)}@example.org`,
    ]
    await using post = await office({ lookup: (who) => who, extraRecipients: ['team@example.org'] })
    await post.tell(finished({ blamelist: names }))
    assert.deepEqual(post.sink.mails[0]?.to, ['team@example.org'])
    assert.equal(post.test.log.find('warn', 'not a plain mail address, no mail to this person').length, names.length)
  })

  it('with headers that are ours, whatever words strangers use', async () => {
    const evil = 'x\r\nBcc: evil@example.org\r\n\r\nbody\u202e\x1b[2J'
    await using post = await office()
    await post.tell(
      finished({ branch: evil, text: [evil], slave: evil, reason: evil, revision: evil, blamelist: [JANE, evil] }),
    )
    const [taken] = post.sink.mails
    assert.deepEqual(
      post.sink.mails.map(({ to }) => to),
      [['jane@example.org'], ['team@example.org']],
    )
    assert.equal(taken?.mail.bcc, undefined)
    assert.doesNotMatch(taken?.mail.text ?? '', /^Bcc/m)
    assert.doesNotMatch((taken?.mail.text ?? '').replaceAll('\n', ''), /[\u202e\p{Cc}]/u)
  })
})

describe('a mail server that makes trouble', () => {
  const only = { sendToInterestedUsers: false }

  it('that is down is no fault of the recipient', async () => {
    const gone = await createSmtpSink()
    const { port } = gone
    await gone[Symbol.asyncDispose]()
    await using post = await office({ ...only, smtpPort: port })
    const [handover] = await post.tell(finished())
    assert.deepEqual({ ...handover, reason: '' }, { status: 'later', about: 'carrier', reason: '', inDoubt: false })
    assert.match(reasonOf(handover), new RegExp(`^127.0.0.1:${port}: .*ECONNREFUSED`))
  })

  const answers: readonly (readonly [string, SinkOptions, object])[] = [
    ['puts a recipient off', { recipient: () => '450 greylisted' }, { status: 'later', about: 'recipient' }],
    ['refuses a recipient', { recipient: () => '550 who?' }, { status: 'refused' }],
    ['puts a message off', { message: () => '451 busy' }, { status: 'later', about: 'recipient' }],
    ['refuses a message', { message: () => '554 spam' }, { status: 'refused' }],
    ['goes away', { recipient: () => '421 closing' }, { status: 'later', about: 'carrier' }],
  ]
  for (const [what, sinkOptions, expected] of answers)
    it(`that ${what} is told from others`, async () => {
      await using post = await office(only, sinkOptions)
      const [handover] = await post.tell(finished())
      assert.deepEqual(
        { ...handover, reason: undefined, inDoubt: undefined },
        { ...expected, reason: undefined, inDoubt: undefined },
      )
      assert.match(reasonOf(handover), /4\d\d|5\d\d/)
      assert.notEqual(handover && 'inDoubt' in handover && handover.inDoubt, true)
    })

  it('that dies before the message was there leaves no doubt, and is not tried by itself', async () => {
    let mine: SmtpSink | undefined
    await using post = await office(only, {
      recipient() {
        mine?.dropAll()
        return undefined
      },
    })
    mine = post.sink
    const [handover] = await post.tell(finished())
    assert.deepEqual([handover?.status, handover && 'inDoubt' in handover && handover.inDoubt], ['later', false])
    assert.equal(post.sink.connections.made, 1)
  })

  it('that dies when it has all of the message leaves it in doubt, and is not tried by itself', async () => {
    let mine: SmtpSink | undefined
    await using post = await office(only, {
      message() {
        mine?.dropAll()
        return new Promise(() => {})
      },
    })
    mine = post.sink
    const [handover] = await post.tell(finished())
    assert.deepEqual([handover?.status, handover && 'inDoubt' in handover && handover.inDoubt], ['later', true])
    assert.equal(post.sink.connections.made, 1)
  })

  it('is spoken to over one connection, which is closed when there is no more to say', async () => {
    await using post = await office()
    for (let eventId = 1; eventId < 6; eventId++) await post.tell(finished({ eventId }))
    assert.deepEqual([post.sink.mails.length, post.sink.connections.made], [10, 1])
    await post.test.clock.advance('30s')
    await until(() => post.sink.connections.open === 0, { what: 'the connection to close' })
    await post.tell(finished({ eventId: 6 }))
    assert.equal(post.sink.connections.made, 2)
  })

  it('that has had enough of a connection gets the mail over a new one, at once', async () => {
    let takenHere = 0
    const recipient = () => (takenHere++ === 3 ? '421 too many messages in this connection' : undefined)
    await using post = await office(only, { recipient })
    const { sink } = post
    for (let eventId = 1; eventId < 5; eventId++)
      assert.equal((await post.tell(finished({ eventId })))[0]?.status, 'delivered')
    assert.deepEqual([sink.mails.length, sink.connections.made], [4, 2])
    sink.dropAll()
    assert.equal((await post.tell(finished({ eventId: 5 })))[0]?.status, 'delivered')
    assert.deepEqual([sink.mails.length, sink.connections.made], [5, 3])
  })

  it('that hangs does not keep the plugin from stopping, and leaves no connection', async () => {
    await using post = await office(only, { message: () => new Promise(() => {}) })
    const told = post.tell(finished())
    await until(() => post.sink.connections.open === 1, { what: 'the mail to be under way' })
    post.abort()
    assert.equal((await told)[0]?.status, 'later')
    await post.test.stop()
    await until(() => post.sink.connections.open === 0, { what: 'the connection to close' })
    assert.deepEqual(post.test.leaks(), [])
  })
})

describe('a lookup that fails', () => {
  it('loses no mail: that one waits, the others go and say so', async () => {
    let works = false
    const lookup = async () => {
      if (!works) throw new Error('LDAP is down at ldap.internal')
      return 'jane@example.org'
    }
    await using post = await office({ lookup })
    await post.tell(finished())
    assert.deepEqual(
      post.sink.mails.map(({ to }) => to),
      [['team@example.org']],
    )
    const { text = '' } = post.sink.mails[0]!.mail
    assert.match(
      text,
      /^Not told: {2}Jane Doe <jane@example.org> \(not yet: the lookup of the address\n {11}failed\)$/m,
    )
    assert.doesNotMatch(text, /ldap\.internal/, 'nothing of the machines inside')
    assert.match(post.test.log.text(), /LDAP is down/)
    works = true
    await post.tell(finished())
    assert.deepEqual(post.sink.mails[1]?.to, ['jane@example.org'])
    assert.equal(textOf(post.sink.mails[1]?.mail.to), 'jane@example.org')
  })

  it('is given up when it hangs', async () => {
    await using post = await office({ lookup: () => new Promise(() => {}) })
    const told = post.test.fire('buildFinished', finished())
    await post.test.clock.advance('11s')
    await told
    assert.deepEqual(post.test.records.notices[0]?.to.at(-1), { who: JANE, via: ['mail'] })
  })

  it('that knows nobody of this name is told to the others', async () => {
    await using post = await office({ lookup: async () => null })
    await post.tell(finished())
    assert.match(
      post.sink.mails[0]?.mail.text ?? '',
      /^Not told: {2}Jane Doe <jane@example.org> \(no mail address is known\)$/m,
    )
  })
})

describe('encryption and login', () => {
  const onAuth: NonNullable<SinkOptions['more']>['onAuth'] = ({ username, password }, _, done) =>
    done(null, password === 's3cret' ? { user: username ?? '' } : {})

  it('sends over STARTTLS with a login, its password being a secret', async () => {
    const tlsCa = await readFile(new URL('../../fixtures/tls/localhost.crt', import.meta.url), 'utf8')
    const login = { smtpUser: 'robot', smtpPassword: secret('smtp') }
    await using post = await office({ tls: 'starttls', tlsCa, ...login }, { more: { onAuth } })
    await post.tell(finished())
    const [taken] = post.sink.mails
    assert.deepEqual([taken?.user, taken?.encrypted], ['robot', true])
  })

  it('sends over a connection that is encrypted from the start', async () => {
    const tlsCa = await readFile(new URL('../../fixtures/tls/localhost.crt', import.meta.url), 'utf8')
    await using post = await office({ tls: 'smtps', tlsCa }, { more: { secure: true } })
    await post.tell(finished())
    assert.equal(post.sink.mails[0]?.encrypted, true)
  })

  it('does not send to a server whose certificate is not trusted, unless told that encryption is as it comes', async () => {
    await using strict = await office({ tls: 'starttls' })
    assert.equal((await strict.tell(finished()))[0]?.status, 'later')
    await using lax = await office({ tls: 'opportunistic' })
    await lax.tell(finished())
    assert.deepEqual([strict.sink.mails.length, lax.sink.mails[0]?.encrypted], [0, true])
  })

  it('does not send in the clear when the server offers no encryption', async () => {
    await using post = await office({ tls: 'starttls' }, { more: { disabledCommands: ['STARTTLS'] } })
    assert.equal((await post.tell(finished()))[0]?.status, 'later')
    assert.equal(post.sink.mails.length, 0)
  })

  it('keeps the mail while the password is wrong', async () => {
    const login = { smtpUser: 'robot', smtpPassword: 'wrong' }
    await using post = await office(login, { more: { onAuth, allowInsecureAuth: true } })
    assert.match(reasonOf((await post.tell(finished()))[0]), /535/)
    assert.equal(post.sink.mails.length, 0)
  })
})

describe('mail options', () => {
  it('refuse what cannot work, in words', () => {
    const problems = (options: Record<string, unknown>) => {
      const given = { fromaddr: 'b@example.org', ...options }
      const checked = mailNotifier(given as never).definition.schema?.['~standard'].validate(given)
      return checked instanceof Promise ? [] : (checked?.issues?.map(({ message }) => message) ?? [])
    }
    assert.deepEqual(problems({}), [])
    assert.match(problems({ fromaddr: 'nobody' })[0] ?? '', /^Give one address/)
    assert.match(problems({ fromaddr: 'x <a@b.org>\r\nBcc: c@d.org' })[0] ?? '', /^Give one address/)
    assert.match(problems({ extraRecipients: ['a@b.org, c@d.org'] })[0] ?? '', /^Give plain addresses/)
    assert.match(problems({ mode: 'failed' })[0] ?? '', /^Give one of all, failing/)
    assert.match(problems({ smtpUser: 'x' })[0] ?? '', /^Give smtpUser and smtpPassword/)
    const login = { smtpUser: 'x', smtpPassword: 'y', relayhost: 'mail.example.org', tls: 'none' }
    assert.match(problems(login)[0] ?? '', /^The password would go over the network unencrypted/)
    assert.match(problems({ smtpPort: 0 })[0] ?? '', /^Give a port number/)
    assert.equal(problems({ relayHost: 'x' }).length, 1)
  })

  it('have the ports and encryption that are usual', () => {
    const checked = (options: object) => {
      const given = { fromaddr: 'b@example.org', ...options }
      const result = mailNotifier(given).definition.schema?.['~standard'].validate(given)
      assert.ok(result && !(result instanceof Promise) && !result.issues)
      const { smtpPort, tls } = result.value as { smtpPort: number; tls: string }
      return [smtpPort, tls]
    }
    assert.deepEqual(checked({}), [25, 'none'])
    assert.deepEqual(checked({ relayhost: 'mail.example.org' }), [25, 'starttls'])
    assert.deepEqual(checked({ relayhost: 'mail.example.org', tls: 'smtps' }), [465, 'smtps'])
    const login = { smtpUser: 'x', smtpPassword: 'y', relayhost: 'mail.example.org' }
    assert.deepEqual(checked(login), [587, 'starttls'])
  })

  it('take a subject of the config', async () => {
    await using post = await office({
      subject: ({ project, builder: name, result }) => `${project}/${name}: ${result}\nx`,
    })
    await post.tell(finished())
    assert.equal(post.sink.mails[0]?.mail.subject, 'Hello/full: failure x')
  })
})

/** A mail target with a mail server of its own. */
async function office(options: Partial<MailOptions> = {}, sinkOptions: SinkOptions = {}, query: Partial<Query> = {}) {
  const sink = await createSmtpSink(sinkOptions)
  const hostOptions: TestHostOptions = {
    clock: createFakeClock({ start: AT + 100_000 }),
    people: { [JANE]: 'jane@example.org' },
    secrets: { smtp: 's3cret' },
    query: {
      project: () => ({ name: 'Hello', url: 'https://hello.example.org/' }),
      build: async () => buildView({ changes: [change()] }),
      logTail: async () => "\x1b[31mhello.c:3: error: expected ';'\x1b[0m\nmake: *** [all] Error 1\n",
      ...query,
    },
  }
  const test = createTestHost(hostOptions)
  const fromaddr = 'Hello builds <buildbot@example.org>'
  const server = { relayhost: '127.0.0.1', smtpPort: sink.port }
  await test.run(mailNotifier({ fromaddr, ...server, extraRecipients: ['team@example.org'], ...options }))
  const told = new Set<string>()
  const aborting = new AbortController()

  /** As the outbox does: each key and recipient once, one at a time. */
  async function deliver(notice: Notice): Promise<readonly Handover[]> {
    const handovers: Handover[] = []
    const { to, key, urgency = 'normal', ...rest } = notice
    for (const recipient of to) {
      const carrier = test.records.carriers[0]!
      const address = 'who' in recipient ? await carrier.addressOf(recipient.who).catch(() => null) : recipient.address
      if (address === null || told.has(`${key} ${address}`)) continue
      told.add(`${key} ${address}`)
      const common = {
        id: told.size,
        ref: key.replace(/\W/g, '.'),
        attempt: 1,
        inDoubt: false,
        createdAt: test.clock.now(),
      }
      const delivery = { ...rest, ...common, address, urgency }
      handovers.push(await carrier.deliver(delivery, { signal: aborting.signal }))
    }
    return handovers
  }

  return {
    test,
    sink,
    abort: () => aborting.abort(),
    /** Fires an event, and brings the mails that come of it. */
    async tell(event: BuildFinished): Promise<readonly Handover[]> {
      const before = test.records.notices.length
      await test.fire('buildFinished', event)
      return (await Promise.all(test.records.notices.slice(before).map(deliver))).flat()
    },
    teamMails: () => sink.mails.filter(({ to }) => to[0] === 'team@example.org'),
    async [Symbol.asyncDispose]() {
      await test.stop()
      await sink[Symbol.asyncDispose]()
    },
  }
}

function textOf(addresses: { readonly text: string } | readonly { readonly text: string }[] | undefined) {
  return [addresses ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ')
}

const reasonOf = (handover: Handover | undefined) => (handover && 'reason' in handover ? handover.reason : '')
