import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSender } from '../../core/cli/hook/sender.ts'
import { startBuildbotMaster } from './rig/buildbot-master.ts'
import { absent } from './rig/worker.ts'

test('a real Buildbot takes what a commit hook sends, also with a key, which it does not know', {
  skip: absent('buildbot'),
  timeout: 120_000,
}, async (context) => {
  const master = await startBuildbotMaster()
  context.after(() => master[Symbol.asyncDispose]())
  const settings = { pb: `127.0.0.1:${master.port}`, passwd: 'changepw' }
  using sender = createSender('/nowhere', settings, AbortSignal.timeout(60_000))
  const change = {
    who: 'Jane <jane@example.org>',
    files: ['grün.c'],
    comments: 'Mend it',
    branch: 'main',
    when: 1_700_000_000_500,
  }
  assert.equal(await sender.send({ id: '1', change: { ...change, revision: '1' } }), null)
  assert.equal(await sender.send({ id: '2', change: { ...change, revision: '2', key: 'cvs r 2' } }), null)
  assert.deepEqual(
    master.changes().map((stored) => [stored.revision, stored.who, stored.files, stored.branch]),
    [
      ['1', change.who, change.files, 'main'],
      ['2', change.who, change.files, 'main'],
    ],
  )
})
