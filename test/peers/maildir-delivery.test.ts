import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createTestHost, type TestHost, until } from 'boltbot/plugin-sdk/testing'
import { maildir, syncmail } from 'boltbot/plugins/changes/maildir'
import { commitMail } from '../plugins/changes/maildir-folder.ts'
import { type MailPeer, startExim } from './mail/servers.ts'
import { run } from './rig/run-program.ts'
import { rightsOf } from './rig/server.ts'
import { absent } from './rig/worker.ts'

test('commit mails that a real delivery agent puts into a maildir become changes, each once, also over a restart', {
  skip: absent('exim4'),
  timeout: 120_000,
}, async () => {
  await using server = await startExim()
  for (const number of [1, 2]) await deliver(server, number)
  {
    await using source = await watching(server)
    await taken(source, 2)
    await deliver(server, 3)
    await taken(source, 3)
    assert.deepEqual(comments(source), ['commit 1', 'commit 2', 'commit 3'])
    assert.equal(source.records.changes[0]?.who, 'jane')
  }
  await deliver(server, 4)
  await using source = await watching(server)
  await taken(source, 1)
  assert.deepEqual(comments(source), ['commit 4'])
  assert.deepEqual(await readdir(join(server.maildir, 'new')), [])
  assert.equal((await readdir(join(server.maildir, 'cur'))).length, 4)
})

/** As a commit hook mails: by the program `sendmail`. Resolves when it is delivered. */
async function deliver(server: MailPeer, number: number): Promise<void> {
  const sendmail = ['/usr/sbin/exim4', '-C', server.config, '-odf', '-oi', 'commits@example.org']
  const [program = '', ...args] = [...rightsOf('Debian-exim'), ...sendmail]
  const { code, stderr } = await run(program, args, { input: commitMail(number) })
  assert.equal(code, 0, stderr)
}

async function watching({ maildir: path }: MailPeer): Promise<TestHost> {
  const host = createTestHost()
  await host.run(maildir({ path, parser: syncmail }))
  return host
}

const comments = ({ records }: TestHost) => records.changes.map((change) => change.comments)

/** By a look at the folder. */
async function taken(source: TestHost, count: number): Promise<void> {
  const looked = async () => {
    await source.poll()
    return source.records.changes.length >= count
  }
  await until(looked, { what: `change ${count}`, deadline: 30_000, seen: () => comments(source).join() })
}
