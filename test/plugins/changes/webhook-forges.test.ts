import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChangeInput } from 'boltbot/plugin-sdk'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { type ForgeName, type WebhookOptions, webhook } from 'boltbot/plugins/changes/webhook'
import { delivery, payloadOf, post, SECRET } from './webhook-delivery.ts'

/** Payloads in the shapes that the forges document, and the changes they are, without a poller in the config. */

const [A, B, C, D] = [
  '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8',
  'e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98',
  '84a516841ba77a5b4648de2cd0dfcb30ea46dbb4',
  '3c363836cf4e16666669a25da280a1865c2d2874',
]
const EVENTS: Readonly<Record<string, string>> = { 'pull-request': 'pull_request', ping: 'ping' }
const BITBUCKET: Readonly<Record<string, string>> = {
  'bitbucket-cloud/push': 'repo:push',
  'bitbucket-cloud/pull-request': 'pullrequest:created',
  'bitbucket-server/push': 'repo:refs_changed',
  'bitbucket-server/pull-request': 'pr:opened',
  'bitbucket-server/ping': 'diagnostics:ping',
}

async function changesOf(forge: ForgeName, file: string, options: Partial<WebhookOptions> = {}) {
  await using host = createTestHost()
  await host.run(webhook({ forge, secret: SECRET, tags: true, pullRequests: 'all', ...options }))
  const kind = file.replace(/.*\//, '')
  const event =
    Object.entries(BITBUCKET).find(([name]) => file.startsWith(name))?.[1] ??
    Object.entries(EVENTS).find(([name]) => kind.startsWith(name))?.[1] ??
    'push'
  const { status, text } = await post(host, delivery(forge, event, payloadOf(file)))
  assert.equal(status, 200, text)
  return { changes: host.records.changes, text, warnings: host.log.find('warn').length }
}

const brief = ({ who, branch, revision, files, comments }: ChangeInput) =>
  `${branch} ${[A, B, C, D].indexOf(revision ?? '') === -1 ? revision : 'ABCD'[[A, B, C, D].indexOf(revision ?? '')]} ${who} "${comments}" ${files.join()}`

const LIGHT = 'Zoë Doe <zoe@example.org> "Light the lamp\n\nIt was dark." src/lämp.c,Makefile'
const RENAME = 'Jane Doe <jane@example.org> "Rename it" src/lamp.c,src/lämp.c'
const LIGHT_ALONE = 'Zoë Doe <zoe@example.org> "Light the lamp" '
const RENAME_ALONE = 'Jane Doe <jane@example.org> "Rename it" '

const CASES: readonly (readonly [ForgeName, file: string, changes: readonly string[], text?: RegExp])[] = [
  [
    'github',
    'github/push',
    [`main B ${LIGHT}`, `main C ${RENAME}`, `main D Jane Doe <jane@example.org> "Merge branch 'fix'" README.md`],
    /^3 changes taken\.$/,
  ],
  ['github', 'github/push-new-branch', [`feature/lamp C ${RENAME}`]],
  [
    'github',
    'github/push-new-branch-with-commits',
    [`feature/lamp D Jane Doe <jane@example.org> "Merge branch 'fix'" README.md`],
  ],
  ['github', 'github/push-deleted', [], /"feature\/lamp" was deleted/],
  ['github', 'github/push-reset', [], /"main" has no new commits/],
  ['github', 'github/push-tag', [`refs/tags/v1.0 D Jane Doe <jane@example.org> "Merge branch 'fix'" README.md`]],
  ['github', 'github/pull-request', ['refs/pull/7/head C zoe "Light a lamp\n\nSo that we see." ']],
  ['github', 'github/pull-request-fork', ['refs/pull/7/head C zoe "Light a lamp\n\nSo that we see." ']],
  ['github', 'github/pull-request-labeled', [], /^Ignored: the pull request was labeled\.$/],
  ['github', 'github/ping', [], /^Ignored: this is only a ping\.$/],
  ['gitlab', 'gitlab/push', [`main B ${LIGHT}`, `main C ${RENAME}`]],
  ['gitlab', 'gitlab/push-new-branch', ['feature/lamp C Jane Doe <jane@example.org> "" ']],
  ['gitlab', 'gitlab/push-deleted', [], /"feature\/lamp" was deleted/],
  ['gitlab', 'gitlab/tag-push', ['refs/tags/v1.0 C Jane Doe <jane@example.org> "The first one" ']],
  [
    'gitlab',
    'gitlab/merge-request',
    ['refs/merge-requests/7/head C Zoë Doe <zoe@example.org> "Light a lamp\n\nSo that we see." '],
  ],
  [
    'gitlab',
    'gitlab/merge-request-fork-pushed',
    ['refs/merge-requests/7/head C Zoë Doe <zoe@example.org> "Light a lamp\n\nSo that we see." '],
  ],
  ['gitlab', 'gitlab/merge-request-titled', [], /"update", without new commits/],
  ['gitea', 'gitea/push', [`main B ${LIGHT}`, `main C ${RENAME}`]],
  ['gitea', 'gitea/push-tag', [`refs/tags/v1.0 C ${RENAME}`]],
  ['gitea', 'gitea/push-deleted', [], /"lamp" was deleted/],
  ['gitea', 'gitea/pull-request', ['refs/pull/7/head C zoe "Light a lamp\n\nSo that we see." ']],
  ['bitbucketCloud', 'bitbucket-cloud/push', [`main B ${LIGHT_ALONE}`, `main C ${RENAME_ALONE}`]],
  [
    'bitbucketCloud',
    'bitbucket-cloud/push-several',
    [`lamp B ${LIGHT_ALONE}`, `refs/tags/v1.0 C ${RENAME_ALONE}`],
    /^2 changes taken; ignored: "old" was deleted\.$/,
  ],
  [
    'bitbucketCloud',
    'bitbucket-cloud/pull-request-fork',
    ['lamp 84a516841ba7 Zoë Doe "Light a lamp\n\nSo that we see." '],
  ],
  ['bitbucketServer', 'bitbucket-server/push', ['main C Jane Doe <jane@example.org> "" ']],
  ['bitbucketServer', 'bitbucket-server/push-commits', [`main B ${LIGHT_ALONE}`, `main C ${RENAME_ALONE}`]],
  [
    'bitbucketServer',
    'bitbucket-server/push-several',
    ['lamp B Jane Doe <jane@example.org> "" ', 'refs/tags/v1.0 C Jane Doe <jane@example.org> "" '],
  ],
  [
    'bitbucketServer',
    'bitbucket-server/pull-request',
    ['refs/pull-requests/7/from C Jane Doe <jane@example.org> "Light a lamp\n\nSo that we see." '],
  ],
  ['bitbucketServer', 'bitbucket-server/ping', [], /only a ping/],
]

for (const [forge, file, expected, text = /./] of CASES)
  test(`${file} comes out as ${expected.length} changes`, async () => {
    const { changes, text: said } = await changesOf(forge, file)
    assert.deepEqual(changes.map(brief), expected)
    assert.match(said, text)
  })

test('a change has all that a forge tells, and what the options set', async () => {
  const { changes } = await changesOf('github', 'github/push', { project: 'hello', codebase: 'lib', category: 'web' })
  assert.deepEqual(changes[0], {
    who: 'Zoë Doe <zoe@example.org>',
    files: ['src/lämp.c', 'Makefile'],
    comments: 'Light the lamp\n\nIt was dark.',
    branch: 'main',
    revision: B,
    revlink: `https://github.com/jane/hello/commit/${B}`,
    when: Date.UTC(2023, 10, 14, 22, 14, 20),
    repository: 'https://github.com/jane/hello.git',
    project: 'hello',
    codebase: 'lib',
    category: 'web',
  })
})

test('a pull request has its facts as properties', async () => {
  const [change] = (await changesOf('github', 'github/pull-request-fork')).changes
  assert.equal(change?.category, 'pull')
  assert.equal(change?.revlink, 'https://github.com/jane/hello/pull/7')
  assert.deepEqual(change?.properties, {
    pull_request: 7,
    pull_request_title: 'Light a lamp',
    pull_request_url: 'https://github.com/jane/hello/pull/7',
    source_repository: 'zoe/hello',
    source_branch: 'lamp',
    target_branch: 'main',
  })
  const [ofFork] = (await changesOf('bitbucketCloud', 'bitbucket-cloud/pull-request-fork')).changes
  assert.equal(ofFork?.repository, 'https://bitbucket.org/zoe/hello.git')
})

test('repositories are named as they are cloned', async () => {
  const repositoryOf = async (forge: ForgeName, file: string) => (await changesOf(forge, file)).changes[0]?.repository
  assert.equal(await repositoryOf('gitlab', 'gitlab/push'), 'https://gitlab.example.org/jane/hello.git')
  assert.equal(await repositoryOf('gitea', 'gitea/push'), 'http://git.example.org:3000/jane/hello.git')
  assert.equal(await repositoryOf('bitbucketCloud', 'bitbucket-cloud/push'), 'https://bitbucket.org/jane/hello.git')
  assert.equal(await repositoryOf('bitbucketServer', 'bitbucket-server/push'), 'LAMPS/hello')
  assert.equal(
    await repositoryOf('bitbucketServer', 'bitbucket-server/push-commits'),
    'https://bitbucket.example.org/scm/lamps/hello.git',
  )
})

test('only what is wanted is taken', async () => {
  const none = async (forge: ForgeName, file: string, options: Partial<WebhookOptions>) => {
    const { changes, text } = await changesOf(forge, file, options)
    assert.equal(changes.length, 0)
    return text
  }
  assert.match(await none('github', 'github/push', { branches: ['feature/*'] }), /"main" is not wanted here/)
  assert.match(await none('github', 'github/push-tag', { tags: undefined }), /"refs\/tags\/v1.0" is not wanted here/)
  assert.match(
    await none('github', 'github/push', { repositories: ['zoe/*'] }),
    /repository "jane\/hello" is not wanted/,
  )
  assert.match(await none('github', 'github/pull-request', { pullRequests: undefined }), /pull requests are not wanted/)
  assert.match(await none('github', 'github/pull-request-fork', { pullRequests: 'own' }), /from another repository/)
  assert.match(await none('github', 'github/pull-request', { branches: ['release'] }), /pull requests for "main"/)
  assert.equal((await changesOf('github', 'github/push', { repositories: ['Jane/Hello'] })).changes.length, 3)
  assert.equal((await changesOf('github', 'github/pull-request', { pullRequests: 'own' })).changes.length, 1)
})

test('a push of which the payload carries only the newest commits is taken as far as it goes, with a warning', async () => {
  const many = await changesOf('gitlab', 'gitlab/push-many')
  assert.equal(many.changes.length, 20)
  assert.equal(many.changes[0]?.comments, 'Commit 6')
  assert.equal(many.warnings, 1)
  const cut = await changesOf('gitea', 'gitea/push-cut')
  assert.deepEqual([cut.changes.length, cut.warnings], [2, 1])
  const truncated = await changesOf('bitbucketCloud', 'bitbucket-cloud/push-truncated')
  assert.deepEqual([truncated.changes.length, truncated.warnings], [2, 1])
})

test('GitHub and Gitea may send the JSON inside of a form', async () => {
  await using host = createTestHost()
  await host.run(webhook({ forge: 'github', secret: SECRET }))
  const body = new URLSearchParams({ payload: payloadOf('github/push') }).toString()
  const sent = delivery('github', 'push', body)
  const headers = { ...sent.headers, 'Content-Type': 'application/x-www-form-urlencoded' }
  assert.deepEqual(await post(host, { ...sent, headers }), { status: 200, text: '3 changes taken.' })
})
