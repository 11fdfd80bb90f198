import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import {
  bonsai,
  buildbotCvsMail,
  bzrLaunchpad,
  type CommitMail,
  freshcvs,
  type MailParser,
  maildir,
  svnCommitEmail,
  syncmail,
} from 'boltbot/plugins/changes/maildir'
import { commitMail, createMaildir } from './maildir-folder.ts'

describe('the mail a parser gets', () => {
  it('has its headers decoded and unfolded', async () => {
    const mail = await read(
      'From: =?iso-8859-1?q?J=E4ne_D=F6?= <jane@example.org>\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\n and more\r\n' +
        'Message-ID: <1@example.org>\r\nDate: Tue, 14 Nov 2023 23:13:20 +0100\r\nX-Branch: one\r\n\ttwo\r\n\r\nHello.\r\n',
    )
    assert.deepEqual(mail.from, { name: 'Jäne Dö', address: 'jane@example.org' })
    assert.equal(mail.subject, 'Grüße and more')
    assert.equal(mail.messageId, '<1@example.org>')
    assert.equal(mail.date, Date.UTC(2023, 10, 14, 22, 13, 20))
    assert.equal(mail.received, 1_700_000_000_100)
    assert.equal(mail.header('x-Branch'), 'one two')
    assert.equal(mail.header('X-None'), null)
    assert.equal(mail.text, 'Hello.\n')
  })

  it('may lack every header', async () => {
    const { header, ...mail } = await read('\nonly words\n')
    assert.equal(header('from'), null)
    const nothing = { from: null, subject: '', messageId: null, date: null, received: 1_700_000_000_100 }
    assert.deepEqual(mail, { ...nothing, text: 'only words\n' })
    assert.equal((await read('Date: some day\n\nx')).date, null)
  })

  it('has its text decoded, whatever the charset and the encoding', async () => {
    const head = (charset: string, encoding: string) =>
      `Content-Type: text/plain; charset=${charset}\nContent-Transfer-Encoding: ${encoding}\n\n`
    const latin = Buffer.concat([Buffer.from(head('iso-8859-1', '8bit')), Buffer.from('grün', 'latin1')])
    assert.equal((await read(latin)).text, 'grün')
    assert.equal((await read(`${head('utf-8', 'quoted-printable')}gr=C3=BCn und lan=\ng`)).text, 'grün und lang')
    assert.equal((await read(`${head('koi8-r', 'base64')}0NLJ18XU`)).text, 'привет')
    assert.equal((await read(`${head('iso-2022-jp', '7bit')}\u001b$BF|K\\\u001b(B`)).text, '日本')
    assert.match((await read(`${head('x-no-such', '7bit')}plain`)).text, /^plain/)
    assert.equal((await read(`${head('utf-8', 'x-no-such')}plain`)).text, 'plain')
  })

  it('has the first plain text of many parts, and nothing of attachments, HTML and archives', async () => {
    const bomb = gzipSync(Buffer.alloc(50 << 20)).toString('base64')
    const parts = [
      'Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nattached',
      'Content-Type: text/html\n\n<p>html</p>',
      `Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n${bomb}`,
      'Content-Type: text/plain; charset=utf-8\n\nfirst',
      'Content-Type: text/plain\n\nsecond',
    ]
    assert.equal((await read(multipart(parts))).text, 'first')
    assert.equal((await read('Content-Type: text/html\n\n<p>html</p>')).text, '')
    assert.equal((await read('Content-Type: multipart/mixed; boundary=b\n\n--b\nno end')).text, '')
  })

  it('has no NUL characters', async () => {
    const mail = await read('From: a\0b <a@example.org>\nSubject: x\0y\nX-Z: 1\x002\n\none\0two\r\nthree\rfour')
    assert.equal(mail.subject, 'x\ufffdy')
    assert.equal(mail.header('X-Z'), '1\ufffd2')
    assert.equal(mail.text, 'one\ufffdtwo\nthree\nfour')
    assert.ok(!mail.from?.name.includes('\0'))
  })
})

describe('a mail beyond the limits', () => {
  it('of 50 MB is put into failed unread, and others go on', async () => {
    await using folder = await createMaildir()
    const file = await open(join(folder.path, 'new', '1699999999.1.host'), 'w')
    await file.truncate(50 << 20)
    await file.close()
    await folder.deliver(commitMail(1))
    await using test = createTestHost()
    await test.run(maildir({ path: folder.path, parser: syncmail, watch: false }))
    await test.poll()
    assert.equal(test.records.changes.length, 1)
    assert.match(await folder.read('failed', '1699999999.1.host.reason'), /52428800.* limit of 10485760/)
  })

  it('of parts, of headers or of a line harms nobody', { timeout: 60_000 }, async () => {
    const many = multipart(Array.from({ length: 5000 }, () => 'Content-Type: text/plain\n\nx'))
    const deep = Array.from(
      { length: 2000 },
      (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`,
    ).join('')
    const hostile = [
      many,
      deep,
      `X: ${'y'.repeat(1 << 20)}\n\nx`,
      `From: ${'<'.repeat(100_000)}\n\nx`,
      `From: ${'a@b.c, '.repeat(15_000)}\n\nx`,
      `Subject: ${'=?utf-8?q?'.repeat(10_000)}\n\nx`,
      'x'.repeat(9 << 20),
      `\n${'\n'.repeat(9 << 20)}`,
    ]
    await using folder = await createMaildir()
    for (const mail of hostile) await folder.deliver(mail)
    await folder.deliver(commitMail(1))
    await using test = createTestHost()
    await test.run(maildir({ path: folder.path, parser: syncmail, watch: false }))
    await test.poll()
    assert.deepEqual(
      test.records.changes.map(({ comments }) => comments),
      ['commit 1'],
    )
    assert.equal(test.log.find('warn').length, hostile.length)
  })

  it('of patience costs no parser more than in proportion to its length', { timeout: 60_000 }, async () => {
    const n = 300_000
    const runs = [' ', '\t', '/', 'a ', 'a,', '1.1 ', ',1.1', ' (', ') ', '|', '[', 'a/', '\u2028', '1 ', '- '].map(
      (piece) => piece.repeat(n),
    )
    const lines = runs.flatMap((run) => [run, `${run}x`, `a${run}\u2028`])
    const texts = lines.flatMap((line) => [
      `Modified Files:\n\t${line}\nModified files:\n${line}\n\nLog Message:\n${line}\n`,
      `Cvsmode: 1.11\nPath:${line}\nFiles:${line}\n${line}\nLog Message:\n`,
      `Cvsmode: 1.12\nPath: a\nFiles: ${line}\nLog Message:\n`,
      `C|1|a|b|${line}|${line}\nLOGCOMMENT\n:ENDLOGCOMMENT\n`,
      `Author: a\nNew Revision: 1\nX:${line}\nAdded:\n  ${line}\n  a${line})\n\nLog:\n${line}\n`,
      `revno: 1\ncommitter: a\nx:${line}\nkind changed:\n  ${line}\nrenamed:\n  ${line}\nmessage:${line}\n`,
      `Update of ${line}\nLog Message:\n`,
    ])
    const parsers: readonly MailParser[] = [bonsai, buildbotCvsMail, bzrLaunchpad, freshcvs, svnCommitEmail, syncmail]
    for (const text of texts) {
      const mail: CommitMail = {
        from: { name: `${text.slice(0, 50_000)} CVS`, address: 'noreply@launchpad.net' },
        subject: '[Branch ~a/b] Rev 1: x',
        messageId: null,
        date: null,
        received: 0,
        text,
        header: () => null,
      }
      for (const parser of parsers) {
        try {
          parser(mail, { branchMap: {}, defaultBranch: null })
        } catch {
          // Most are in no format at all.
        }
      }
    }
  })
})

/** The mail as a parser of one's own sees it. */
async function read(raw: string | Buffer): Promise<CommitMail> {
  await using folder = await createMaildir()
  await using test = createTestHost()
  await folder.deliver(raw)
  const seen: CommitMail[] = []
  const parser: MailParser = (mail) => {
    seen.push(mail)
    return { who: '', files: [], comments: '' }
  }
  await test.run(maildir({ path: folder.path, parser, watch: false }))
  await test.poll()
  assert.ok(seen[0], test.log.text())
  return seen[0]
}

function multipart(parts: readonly string[]): string {
  const head = 'Content-Type: multipart/mixed; boundary="b"\n\n'
  return `${head}${parts.map((part) => `--b\n${part}\n`).join('')}--b--\n`
}
