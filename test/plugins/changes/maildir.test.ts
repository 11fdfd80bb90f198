import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Change, CiError } from 'boltbot/plugin-sdk'
import { createTestHost, type TestHost, type TestHostOptions, until } from 'boltbot/plugin-sdk/testing'
import { ignore, type MaildirOptions, maildir, syncmail } from 'boltbot/plugins/changes/maildir'
import {
  commitMail,
  createMaildir,
  deliverElsewhere,
  deliveredName,
  layOut,
  type TestMaildir,
} from './maildir-folder.ts'

describe('maildir', () => {
  it('hands in each mail by the time of its delivery, then by name, and moves it to cur with its flags', async () => {
    await using folder = await createMaildir()
    await folder.deliver(commitMail(5), 'no time')
    await folder.deliver(commitMail(4), '1700000002.7_10.host')
    await folder.deliver(commitMail(3), '1700000002.7_9.host:2,S')
    await folder.deliver(commitMail(2), '1700000001.M900000P1Q2.host')
    await folder.deliver(commitMail(1), '1700000001.Vfd00I1M100000P3.host:2,')
    await using test = await started(folder)
    await test.poll()
    assert.deepEqual(comments(test), expected(5))
    assert.deepEqual(await folder.names('new'), [])
    assert.deepEqual(await folder.names('cur'), [
      '1700000001.M900000P1Q2.host:2,',
      '1700000001.Vfd00I1M100000P3.host:2,',
      '1700000002.7_10.host:2,',
      '1700000002.7_9.host:2,S',
      'no time:2,',
    ])
    assert.equal(test.records.changes[1]?.when, 1_700_000_001_900)
  })

  it('strips its prefix, drops files outside of it, and completes changes from its options', async () => {
    await using folder = await createMaildir()
    await folder.deliver(commitMail(1).replace('\tfile-1.c', '\tfile-1.c ../src2/x.c file-1.c'))
    const common = { category: 'c', repository: 'r', project: 'p', codebase: 'b' }
    await using test = await started(folder, { prefix: '/hello/src', ...common })
    await test.poll()
    const { key, ...change } = test.records.changes[0] ?? {}
    assert.ok(key)
    assert.deepEqual(change, {
      ...common,
      who: 'jane',
      files: ['file-1.c', '../src2/x.c'],
      comments: 'commit 1',
      branch: null,
      when: 1_700_000_000_100,
    })
  })

  it('takes a prefix for a folder, never for the beginning of a name', async () => {
    await using folder = await createMaildir()
    const files = ['glib/a.c', './glib/a.c', '/glib/b.c', 'glib', 'glib/', 'glib2/a.c', 'other/glib/a.c', 'CVSROOT/x']
    const parser = () => ({ who: 'jane', comments: '', files })
    for (const prefix of ['glib/', 'glib']) {
      await folder.deliver(commitMail(1))
      await using test = await started(folder, { parser, prefix })
      await test.poll()
      assert.deepEqual(test.records.changes[0]?.files, ['a.c', 'b.c'])
    }
  })

  it('puts a mail that is no commit away without a warning', async () => {
    await using folder = await createMaildir()
    await folder.deliver(commitMail(1))
    await folder.deliver(commitMail(2))
    await using test = await started(folder, { parser: ({ subject }) => ignore(subject) })
    await test.poll()
    assert.deepEqual([comments(test), await folder.names('new'), test.log.find('warn')], [[], [], []])
    assert.equal((await folder.names('cur')).length, 2)
    assert.equal(test.log.find('debug', 'mail ignored')[0]?.fields.reason, 'hello/src file-1.c,1.1,1.2')
  })

  it('puts a mail that cannot be parsed into failed, with the reason beside it and one warning', async () => {
    await using folder = await createMaildir()
    const bad = await folder.deliver('From: a@example.org\nSubject: x\n\nHello.\n')
    await folder.deliver(commitMail(2))
    await using test = await started(folder)
    await test.poll()
    await test.poll()
    assert.deepEqual(comments(test), ['commit 2'])
    assert.deepEqual(await folder.names('failed'), [bad, `${bad}.reason`])
    assert.match(await folder.read('failed', `${bad}.reason`), /^BOLT_MAILDIR_FORMAT: The mail is not in the format/)
    assert.equal(test.log.find('warn').length, 1, test.log.text())
  })

  it('fails mails of a parser that throws or gives nothing', async () => {
    for (const [parser, reason] of [
      [() => JSON.parse('{'), /BOLT_MAILDIR_PARSER: The parser failed: /],
      [() => undefined, /BOLT_MAILDIR_PARSER: The parser failed: it gave neither/],
      [async () => ({ who: '', files: [], comments: '' }), /it gave neither/],
    ] as const) {
      await using folder = await createMaildir()
      const name = await folder.deliver(commitMail(1))
      await using test = await started(folder, { parser: parser as never }) // what plain JavaScript lets through
      await test.poll()
      assert.match(await folder.read('failed', `${name}.reason`), reason)
    }
  })

  it('puts a change that the master refuses into failed, and keeps one that it cannot store', async () => {
    await using folder = await createMaildir()
    const refused = await folder.deliver(commitMail(1))
    const kept = await folder.deliver(commitMail(2))
    await using test = await started(
      folder,
      {},
      {
        override: {
          submitChange: async ({ comments }) => {
            const code = comments === 'commit 1' ? 'TEST_REFUSED' : 'BOLT_STORE_FULL'
            throw new CiError({ code, message: `No to ${comments}.` })
          },
        },
      },
    )
    await assert.rejects(test.poll(), { code: 'BOLT_STORE_FULL' })
    assert.equal(await folder.read('failed', `${refused}.reason`), 'TEST_REFUSED: No to commit 1.\n')
    assert.deepEqual(await folder.names('new'), [kept])
  })

  it('gives a mail one key however often and on whatever way it comes, and different mails different ones', async () => {
    await using folder = await createMaildir()
    const nameless = commitMail(1).replace(/Message-ID.*\n/, '')
    const mails = [commitMail(1), commitMail(1, 'Received: by list'), commitMail(1).replace('commit 1', 'other')]
    for (const mail of [...mails, nameless, nameless]) await folder.deliver(mail)
    await using test = await started(folder)
    await test.poll()
    const keys = test.records.changes.map(({ key }) => key)
    assert.equal(keys.length, 5)
    assert.equal(keys[0], keys[1])
    assert.equal(new Set(keys).size, 4)
    // Once more, as after a crash before the move.
    await rename(join(folder.path, 'cur', `${deliveredName(3)}:2,`), join(folder.path, 'new', deliveredName(3)))
    await test.poll()
    assert.equal(test.records.changes[5]?.key, keys[3])
    await using other = await started(folder, {}, { id: 'other' })
    await folder.deliver(commitMail(1))
    await other.poll()
    assert.notEqual(other.records.changes[0]?.key, keys[0], 'two sources may make two changes of one mail')
  })
})

describe('the folder of a maildir source', () => {
  it('must be there and be a maildir when the source starts', async () => {
    await using folder = await createMaildir()
    await rm(join(folder.path, 'cur'), { recursive: true })
    await using test = createTestHost()
    await assert.rejects(test.run(maildir({ path: folder.path, parser: syncmail })), {
      code: 'BOLT_MAILDIR_LAYOUT',
      message: `The folder "${folder.path}" is no maildir: it has no folder "cur".`,
      hint: /mkdir -p '.*\/new' '.*\/cur' '.*\/tmp'/,
    })
    await using other = createTestHost()
    await assert.rejects(other.run(maildir({ path: '/no/such/maildir', parser: syncmail })), {
      code: 'BOLT_MAILDIR_MISSING',
    })
  })

  it('wakes the source when another process delivers, without a poll', async () => {
    await using folder = await createMaildir()
    await using test = await started(folder)
    await test.poll()
    await Promise.all([
      deliverElsewhere(folder.path, 300),
      until(() => comingIn(test, 300), { what: '300 changes', deadline: 30_000, seen: (n) => `${n}` }),
    ])
    assert.deepEqual(comments(test).toSorted(), expected(300, 0).toSorted())
    await until(async () => (await folder.names('new')).length === 0, { what: 'the last move' })
  })

  it('is read by polls alone where file events are not wanted', async () => {
    await using folder = await createMaildir()
    await using test = await started(folder, { watch: false, pollInterval: '1m' })
    assert.equal(test.records.pollers[0]?.interval, 60)
    await test.poll()
    await deliverElsewhere(folder.path, 20)
    await test.clock.advance('1m')
    assert.equal(test.records.changes.length, 0)
    await test.poll()
    assert.deepEqual(comments(test), expected(20, 0))
  })

  it('may be replaced: a poll finds the new one, and it is watched from then on', async () => {
    await using folder = await createMaildir()
    await using test = await started(folder)
    await test.poll()
    await rename(folder.path, `${folder.path}.old`)
    await assert.rejects(test.poll(), { code: 'BOLT_MAILDIR_MISSING' })
    await layOut(folder.path)
    await folder.deliver(commitMail(1))
    await test.clock.advance('10s') // polls may back off for long: it looks by itself
    await until(() => comingIn(test, 1), { what: 'the mail in the new folder' })
    await folder.deliver(commitMail(2))
    await until(() => comingIn(test, 2), { what: 'the event of the new folder' })
    await rm(join(folder.path, 'new'), { recursive: true })
    await mkdir(join(folder.path, 'new'))
    await test.poll()
    await folder.deliver(commitMail(3))
    await until(() => comingIn(test, 3), { what: 'the event of the second new folder' })
    assert.deepEqual(comments(test), expected(3))
  })

  it('may hold what is no mail: it is put into failed, and names of any bytes are kept', async () => {
    await using folder = await createMaildir()
    const place = (name: string) => join(folder.path, 'new', name)
    await mkdir(place('1700000001.folder'))
    await symlink('/etc/hostname', place('1700000002.link'))
    await symlink('/no/such/file', place('1700000003.dangling'))
    await writeFile(place('.hidden'), 'x')
    await writeFile(place('1700000004.empty'), '')
    await folder.deliver(commitMail(1), '1700000005.a\nb;$(reboot) "ü".host')
    await folder.deliver(commitMail(2), `1700000006.${'x'.repeat(244)}`)
    await writeFile(Buffer.concat([Buffer.from(place('1700000007.')), Buffer.from([0xff, 0xfe])]), commitMail(3))
    await writeFile(place(`1700000008.${'y'.repeat(244)}`), 'no mail')
    await using test = await started(folder)
    await test.poll()
    assert.deepEqual(comments(test), expected(3))
    assert.deepEqual(await folder.names('new'), ['.hidden'])
    assert.equal((await folder.names('cur')).length, 3)
    assert.ok((await folder.names('cur')).includes('1700000005.a\nb;$(reboot) "ü".host:2,'))
    const reasons = (await folder.names('failed')).filter((name) => name.endsWith('.reason'))
    assert.equal(reasons.length, 5)
    assert.match(await folder.read('failed', '1700000001.folder.reason'), /NOT_A_FILE/)
    assert.match(await folder.read('failed', '1700000002.link.reason'), /NOT_A_FILE/)
    assert.match(await folder.read('failed', '1700000004.empty.reason'), /it is empty/)
  })

  it('may lose a mail to another program between the list and the look', async () => {
    await using folder = await createMaildir()
    for (let i = 1; i <= 200; i++) await folder.deliver(commitMail(i))
    const taken: string[] = []
    const submitChange: TestHost['host']['submitChange'] = async (change) => {
      taken.push(change.comments)
      for (const gone of [0, 199]) await rm(join(folder.path, 'new', deliveredName(gone)), { force: true })
      return { change: { ...(change as Change), id: 1 }, duplicate: false } // the source looks at the id only
    }
    await using test = await started(folder, {}, { override: { submitChange } })
    await test.poll()
    assert.deepEqual(taken, expected(199))
    assert.deepEqual([await folder.names('new'), test.log.find('warn')], [[], []])
  })

  it('holds 50,000 mails: the oldest go first, a poll takes a part, and a stop comes through', {
    timeout: 120_000,
  }, async () => {
    await using folder = await createMaildir()
    await deliverElsewhere(folder.path, 50_000)
    await using test = await started(folder)
    await test.poll()
    const polled = comments(test).length
    assert.ok(polled >= 5000, `${polled} were taken`)
    await until(() => test.records.changes.length > 6000, { what: 'it to go on by itself', deadline: 30_000 })
    await test.stop()
    const taken = comments(test)
    assert.deepEqual(taken, expected(taken.length, 0))
    assert.equal((await folder.names('new')).length, 50_000 - taken.length)
    assert.deepEqual(test.leaks(), [])
  })
})

async function started(
  folder: Pick<TestMaildir, 'path'>,
  options: Partial<MaildirOptions> = {},
  host: TestHostOptions = {},
): Promise<TestHost> {
  const test = createTestHost(host)
  await test.run(maildir({ path: folder.path, parser: syncmail, ...options }))
  return test
}

/** Lets the gathering of events come to its end; true when so many changes were handed in. */
async function comingIn(test: TestHost, count: number): Promise<boolean> {
  await test.clock.advance(50)
  return test.records.changes.length >= count
}

const comments = (test: TestHost) => test.records.changes.map((change) => change.comments)
const expected = (count: number, from = 1) => Array.from({ length: count }, (_, index) => `commit ${index + from}`)
