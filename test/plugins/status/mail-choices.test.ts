import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, definePlugin, type Host, slave } from 'boltbot/plugin-sdk'
import { createRig, type Rig } from 'boltbot/plugin-sdk/testing'
import { scheduler } from 'boltbot/plugins/schedulers'
import { type MailOptions, mailNotifier } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'

const bot = slave({ name: 'bot', password: 'x', maxBuilds: 1 })
const factory = (command: string) => buildFactory([shellCommand({ command: [command] })])
const builders = [
  builder({ name: 'linux', slaves: [bot], factory: factory('make') }),
  builder({ name: 'bsd', slaves: [bot], factory: factory('gmake') }),
]

/** Two schedulers of one branch each, and somebody who asks for builds of patches. */
async function rigWith(options: Partial<MailOptions>, answers: Record<string, number> = {}) {
  let host: Host | undefined
  const asker = definePlugin({
    name: 'asker',
    kind: 'service',
    needs: ['buildsets'],
    apply(given) {
      host = given
    },
  })
  const rig = await createRig({
    config: defineMaster({
      projectName: 'Hello',
      transports: [],
      slaves: [bot],
      builders,
      schedulers: [
        scheduler({ name: 'main', branch: 'main', treeStableTimer: '0s', builders: ['linux', 'bsd'] }),
        scheduler({ name: 'side', branch: 'side', treeStableTimer: '0s', builders: ['linux', 'bsd'] }),
      ],
      plugins: [asker()],
      status: [mailNotifier({ fromaddr: 'ci@example.org', extraRecipients: ['team@example.org'], ...options })],
      outbox: { budget: false },
    }),
    slaves: { bot: Object.entries(answers).map(([match, result]) => ({ match: `${match}`, result })) },
  })
  return Object.assign(rig, { host: host! })
}

const subjects = (rig: Rig) => rig.mails.map(({ subject }) => subject)

test('builds of other schedulers, and those of people, are not mailed about', async () => {
  await using rig = await rigWith({ schedulers: ['side'] })
  await rig.commit({ branch: 'main' })
  await rig.advance('1m')
  await rig.force('linux')
  await rig.advance('1m')
  assert.deepEqual(subjects(rig), [])
  await rig.commit({ branch: 'side' })
  await rig.advance('1m')
  assert.deepEqual(subjects(rig).sort(), ['[success] Hello: bsd (side), #1', '[success] Hello: linux (side), #2'])
})

test('a build of several requests is mailed about when one of them is of the scheduler', async () => {
  await using rig = await rigWith({ schedulers: ['side'], builders: ['linux'] })
  await rig.host.submitBuildset({ builders: ['linux'], reason: 'first' })
  await rig.host.submitBuildset({
    builders: ['linux'],
    reason: 'x',
    scheduler: 'main',
    sourceStamp: { branch: 'side' },
  })
  await rig.host.submitBuildset({
    builders: ['linux'],
    reason: 'y',
    scheduler: 'side',
    sourceStamp: { branch: 'side' },
  })
  await rig.advance('1m')
  assert.deepEqual(subjects(rig), ['[success] Hello: linux (side), #1'])
})

test('a summary is one mail for a buildset, when one of its builds is due, and tells of them all', async () => {
  await using rig = await rigWith({ buildSetSummary: true, mode: 'failing' }, { gmake: 2 })
  await rig.force('linux')
  await rig.advance('1m')
  assert.deepEqual(subjects(rig), [], 'a success is not due')
  await rig.commit({ branch: 'main', who: 'Jane <jane@example.org>', revision: 'abc123' })
  await rig.advance('1m')
  assert.deepEqual(subjects(rig), [
    '[failure] Hello (main): 2 builds of buildset 2',
    '[failure] Hello (main): 2 builds of buildset 2',
  ])
  assert.deepEqual(rig.mails.map(({ to }) => to).sort(), ['jane@example.org', 'team@example.org'])
  const { text, headers, shown } = rig.mails[0]!
  assert.match(text, /2 builds of Hello \(main\) at abc123 have ended: failure\./)
  assert.match(text, /^ {2}linux #1: success/m)
  assert.match(text, /^ {2}bsd #0: failure \(first failure\)/m)
  assert.match(text, /Blamelist: Jane/)
  assert.equal(headers['x-boltbot-buildset'], '2')
  assert.deepEqual([shown.to, shown.cc], [['jane@example.org'], ['team@example.org']])
})

test('a summary comes once though the master is killed between the builds of its buildset', async () => {
  await using rig = await rigWith({ buildSetSummary: true, sendToInterestedUsers: false })
  await rig.commit({ branch: 'main' })
  await rig.until.event('buildFinished')
  await rig.restart()
  await rig.advance('10m')
  assert.deepEqual(subjects(rig), ['[success] Hello (main): 2 builds of buildset 1'])
  await rig.restart()
  await rig.advance('10m')
  assert.equal(rig.mails.length, 1)
})

test('one build is one build in words', async () => {
  await using rig = await rigWith({ buildSetSummary: true })
  await rig.force('linux')
  await rig.advance('1m')
  assert.deepEqual(subjects(rig), ['[success] Hello: 1 build of buildset 1'])
  assert.match(rig.mails[0]!.text, /^1 build of Hello has ended: success\./)
})

test('the patch of a try build is attached as it was sent, unless it is not to be', async () => {
  const body = '--- a\n+++ b\n@@ -1 +1 @@\n-\xff\n+ü\n'
  const patch = {
    level: 1,
    body: Buffer.from(body, 'latin1').toString('base64'),
    encoding: 'base64',
    subdir: '',
  } as const
  for (const addPatch of [undefined, false]) {
    await using rig = await rigWith({ addPatch })
    const sourceStamp = { branch: 'main', revision: 'abc', patch }
    await rig.host.submitBuildset({ builders: ['linux'], reason: 'try', sourceStamp, owner: 'jane' })
    await rig.advance('1m')
    const attached = rig.mails[0]!.attachments.map(({ name, type, content }) => [
      name,
      type,
      Buffer.from(content).toString('latin1'),
    ])
    assert.deepEqual(attached, addPatch === false ? [] : [['patch.diff', 'text/x-diff', body]])
  }
})
