import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import {
  bonsai,
  buildbotCvsMail,
  bzrLaunchpad,
  freshcvs,
  type MaildirOptions,
  type MailParser,
  maildir,
  svnCommitEmail,
  syncmail,
} from 'boltbot/plugins/changes/maildir'
import { createMaildir, fixture } from './maildir-folder.ts'

/** When fixtures say they were sent. */
const SENT = Date.UTC(2023, 10, 14, 22, 13, 20)

describe('freshcvs', () => {
  it('takes the user from the name, files without their counts, and the message without links and patch', async () => {
    assert.deepEqual(await parsed('freshcvs/modified', freshcvs), {
      who: 'jane',
      files: ['hello/src/main.c', 'hello/doc/read me.txt'],
      comments: 'Greet the whole world.\n\nNot only the half of it.',
    })
  })

  it('takes folders, added and removed files', async () => {
    assert.deepEqual(await parsed('freshcvs/folders', freshcvs), {
      who: 'Jane Doe',
      files: ['hello/po', 'hello/po/old', 'hello/src/gone.c'],
      comments: 'Make room for translations',
    })
  })

  it('fails a mail that is not from the daemon', async () => {
    assert.match(await reason('freshcvs/stranger', freshcvs), /sender is not shown as "<user> CVS"/)
  })
})

describe('syncmail', () => {
  it('takes the folder from the subject behind the name of the list, and several files on a line', async () => {
    assert.deepEqual(await parsed('syncmail/modified', syncmail), {
      who: 'jane',
      files: ['hello/src/main.c', 'hello/src/greet.c', 'hello/src/third.c'],
      comments: 'Greet the whole world.',
      branch: null,
    })
  })

  it('takes added and removed files of a branch, without their text', async () => {
    assert.deepEqual(await parsed('syncmail/branch', syncmail), {
      who: 'jane',
      files: ['hello/src/new.c', 'hello/src/gone.c'],
      comments: 'Move things about',
      branch: 'release-1',
    })
  })

  it('takes the files of an import, and ignores a new folder', async () => {
    assert.deepEqual(await parsed('syncmail/import', syncmail), {
      who: 'jane',
      files: ['hello/lib/a.c', 'hello/lib/b c.h'],
      comments: 'Take in the library',
      branch: 'LIBRARY',
    })
    assert.equal(await ignored('syncmail/new-folder', syncmail), 'a new directory')
  })

  it('finds the whole of a folder with a blank in its name', async () => {
    assert.deepEqual((await parsed('syncmail/folder-with-blank', syncmail))?.files, ['hello/my docs/intro.txt'])
  })
})

describe('bonsai', () => {
  it('takes changed, added and removed files, the user and the time', async () => {
    assert.deepEqual(await parsed('bonsai/commit', bonsai), {
      who: 'jane',
      files: ['hello/src/main.c', 'hello/src/new.c', 'hello/src/gone.c'],
      comments: 'Greet the whole world.\n\nAnd the moon.',
      branch: null,
      repository: '/cvs',
      when: 1_700_000_000_000,
    })
  })

  it('takes the branch, ignores tags and new folders, fails short lines', async () => {
    assert.equal((await parsed('bonsai/branch', bonsai))?.branch, 'release-1')
    assert.equal(await ignored('bonsai/tag', bonsai), 'a tag, no commit')
    assert.equal(await ignored('bonsai/new-folder', bonsai), 'it names no file')
    assert.match(await reason('bonsai/short', bonsai), /"a\|b\|c" is no line about a file/)
  })
})

describe('svnCommitEmail', () => {
  it('takes files after the message: copies, folders, removed ones, without remarks and patch', async () => {
    assert.deepEqual(await parsed('svn/mailer', svnCommitEmail), {
      who: 'jane',
      files: [
        'trunk/src/grüße.c',
        'trunk/po',
        'trunk/src/greet.c',
        'trunk/src/main.c',
        'trunk/doc/read me.txt',
        'trunk/a.c',
        'trunk/b.c',
      ],
      comments: 'Grüße an die ganze Welt.\n\nAuthor: is a word, too',
      revision: '1823',
    })
  })

  it('takes files before the message', async () => {
    assert.deepEqual(await parsed('svn/commit-email', svnCommitEmail), {
      who: 'jane',
      files: ['trunk/src/new.c', 'branches/release-1/src/main.c'],
      comments: 'Two places at once.\n\nModified:\nis a word here',
      revision: '1824',
    })
  })

  it('ignores a mail without files and one with none in the prefix', async () => {
    assert.equal(await ignored('svn/revprop', svnCommitEmail), 'it names no file')
    assert.equal(await ignored('svn/mailer', svnCommitEmail, { prefix: 'branches/' }), 'no file is in "branches/"')
    assert.deepEqual((await parsed('svn/commit-email', svnCommitEmail, { prefix: 'trunk' }))?.files, ['src/new.c'])
  })
})

describe('buildbotCvsMail', () => {
  it('takes the fields of mode 1.12 and names with blanks, and the time as the revision', async () => {
    assert.deepEqual(await parsed('cvs/mode-1.12', buildbotCvsMail), {
      who: 'jane',
      files: ['hello/src/main.c', 'hello/src/read me.txt', 'hello/src/gone.c'],
      comments: 'Greet the whole world.\nFiles: in the message',
      branch: 'release-1',
      revision: '2023-11-14 22:13:20',
      when: SENT,
      repository: ':ext:cvs.example.org:/cvsroot',
      project: 'Hello',
    })
  })

  it('takes the folder from the list of files in mode 1.11', async () => {
    assert.deepEqual(await parsed('cvs/mode-1.11', buildbotCvsMail, { category: 'other', project: 'Mine' }), {
      who: 'jane',
      files: ['hello/src/main.c', 'hello/src/a, b.c', 'hello/src/gone.c'],
      comments: 'Old and new',
      branch: null,
      revision: '2023-11-14 22:13:20',
      when: SENT,
      category: 'nightly',
      repository: '/cvsroot',
      project: 'Mine',
    })
  })

  it('ignores a new folder and says which line is missing', async () => {
    assert.equal(await ignored('cvs/new-folder', buildbotCvsMail), 'a new directory')
    assert.match(await reason('cvs/no-mode', buildbotCvsMail), /"Cvsmode:"/)
    assert.match(await reason('cvs/no-files', buildbotCvsMail), /"Files:"/)
    assert.match(await reason('cvs/no-path', buildbotCvsMail), /"Path:"/)
    assert.match(await reason('cvs/no-versions', buildbotCvsMail), /names no file with two versions/)
  })
})

describe('bzrLaunchpad', () => {
  it('takes lists of all kinds, both names of a rename, and the committer', async () => {
    assert.deepEqual(await parsed('bzr/commit', bzrLaunchpad), {
      who: 'Jane Doe <jane@example.org>',
      files: ['po', 'src/new.c', 'src/gone.c', 'src/old.c', 'src/renamed.c', 'src/main.c', 'run.sh'],
      comments: 'Greet the whole world\n\nadded: not a list',
      branch: null,
      revision: '2701',
      repository: 'lp:~jane/hello/trunk',
      when: SENT,
    })
  })

  it('maps the branch, or takes the default one', async () => {
    const branchMap = { 'lp:~jane/hello/trunk': 'trunk' }
    assert.equal((await parsed('bzr/commit', bzrLaunchpad, { branchMap, defaultBranch: 'x' }))?.branch, 'trunk')
    assert.equal((await parsed('bzr/merge', bzrLaunchpad, { branchMap, defaultBranch: 'x' }))?.branch, 'x')
  })

  it('takes a merge for what it brought, without the merged commits and the patch', async () => {
    assert.deepEqual(await parsed('bzr/merge', bzrLaunchpad), {
      who: 'Jane Doe <jane@example.org>',
      files: ['src/main.c'],
      comments: 'Merge the greeting',
      branch: null,
      revision: '12',
      repository: 'lp:~team/hello/1.0',
      when: SENT,
    })
  })

  it('fails a mail from elsewhere', async () => {
    assert.match(await reason('bzr/stranger', bzrLaunchpad), /does not come from launchpad.net/)
  })
})

async function handle(name: string, parser: MailParser, options: Partial<MaildirOptions>) {
  await using folder = await createMaildir()
  await using test = createTestHost()
  const file = await folder.deliver(await fixture(name), '1700000099.1_0.host')
  await test.run(maildir({ path: folder.path, parser, watch: false, ...options }))
  await test.poll()
  const failed = (await folder.names('failed')).includes(file) ? await folder.read('failed', `${file}.reason`) : null
  return { change: test.records.changes[0], failed, log: test.log }
}

/** The change, without its key, and without its time where that is the delivery's. */
async function parsed(name: string, parser: MailParser, options: Partial<MaildirOptions> = {}) {
  const { change, log } = await handle(name, parser, options)
  assert.ok(change, log.text())
  const { key, when, ...rest } = change
  assert.match(key ?? '', /^maildir /)
  return when === 1_700_000_099_000 ? rest : { ...rest, when }
}

async function ignored(name: string, parser: MailParser, options: Partial<MaildirOptions> = {}) {
  const { change, failed, log } = await handle(name, parser, options)
  assert.deepEqual([change, failed, log.find('warn')], [undefined, null, []])
  return log.find('debug', 'mail ignored')[0]?.fields.reason
}

async function reason(name: string, parser: MailParser): Promise<string> {
  const { change, failed, log } = await handle(name, parser, {})
  assert.equal(change, undefined)
  assert.equal(log.find('warn').length, 1)
  return failed ?? ''
}
