import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChangeInput, CiError, type PollerView, secret } from 'boltbot/plugin-sdk'
import { createTestHost, type TestHost, type TestHostOptions } from 'boltbot/plugin-sdk/testing'
import { type ForgeName, type WebhookOptions, webhook } from 'boltbot/plugins/changes/webhook'
import { type Delivery, delivery, payloadOf, post, SECRET } from './webhook-delivery.ts'

const PUSHES: readonly (readonly [ForgeName, event: string, file: string])[] = [
  ['github', 'push', 'github/push'],
  ['gitlab', 'Push Hook', 'gitlab/push'],
  ['gitea', 'push', 'gitea/push'],
  ['bitbucketCloud', 'repo:push', 'bitbucket-cloud/push'],
  ['bitbucketServer', 'repo:refs_changed', 'bitbucket-server/push-commits'],
]
const PLAIN = JSON.stringify({ who: 'jane', comments: 'light' })

async function listen(options: Partial<WebhookOptions> = {}, host: TestHostOptions = {}): Promise<TestHost> {
  const test = createTestHost({ secrets: { hook: SECRET }, ...host })
  await test.run(webhook({ forge: 'github', secret: secret('hook'), ...options }))
  return test
}

const comments = (host: TestHost) => host.records.changes.map((change) => change.comments)

for (const [forge, event, file] of [...PUSHES, ['plain', '', ''] as const])
  test(`${forge}: what is not signed with the secret is refused, and nothing of it stored`, async () => {
    await using host = await listen({ forge })
    const body = forge === 'plain' ? PLAIN : payloadOf(file)
    const good = delivery(forge, event, body)
    const without = Object.fromEntries(Object.entries(good.headers).filter(([name]) => !/signature|token/i.test(name)))
    const changed = Object.fromEntries(
      Object.entries(good.headers).map(([name, value]) => [name, /signature|token/i.test(name) ? `${value}0` : value]),
    )
    const bad: readonly Delivery[] = [
      delivery(forge, event, body, 'open sesam'),
      { ...good, headers: without },
      { ...good, headers: changed },
      ...(forge === 'gitlab' ? [] : [{ ...good, body: `${body} ` }]),
    ]
    for (const one of bad) {
      const { status, text } = await post(host, one)
      assert.equal(status, 401)
      assert.match(text, /^The secret is wrong or missing: give .+ the one of this webhook\.$/)
    }
    assert.equal(host.records.changes.length, 0)
    assert.equal(host.log.find('warn').length, 1, 'one line a minute, not one each')
    assert.equal((await post(host, good)).status, 200)
    assert.ok(host.records.changes.length > 0)
  })

test('without a secret nothing is configured, unless it is said that everybody may post', async () => {
  await using host = createTestHost({ secrets: { hook: '' } })
  assert.throws(() => host.apply(webhook({ forge: 'github' })), /Give the secret that it is signed with/)
  await assert.rejects(host.run(webhook({ forge: 'github', secret: secret('hook') })), { code: 'BOLT_WEBHOOK_SECRET' })
  await using open = createTestHost()
  await open.run(webhook({ forge: 'github', unsigned: true }))
  const { 'X-Hub-Signature-256': _, ...headers } = delivery('github', 'push', '').headers
  const answer = await post(open, { path: '/hooks/github', headers, body: payloadOf('github/push') })
  assert.equal(answer.text, '3 changes taken.')
})

for (const [forge, event, file] of PUSHES)
  test(`${forge}: a delivery that is sent again stores nothing, under whatever name`, async () => {
    await using host = await listen({ forge })
    const again = () => post(host, delivery(forge, event, payloadOf(file))) // with another id each time
    await again()
    const count = host.records.changes.length
    assert.deepEqual(await again(), { status: 200, text: 'This was delivered before; nothing new is stored.' })
    assert.equal(host.records.changes.length, count)

    await using later = createTestHost({ secrets: { hook: SECRET } })
    for (const [key, value] of host.state) later.state.set(key, value)
    await later.run(webhook({ forge, secret: secret('hook') }))
    assert.match((await post(later, delivery(forge, event, payloadOf(file)))).text, /delivered before/)
  })

test('only so many deliveries are remembered', async () => {
  await using host = await listen({ forge: 'plain' })
  for (let i = 0; i < 1100; i++) await post(host, delivery('plain', '', JSON.stringify({ who: 'jane', id: `${i}` })))
  assert.equal((host.state.get('deliveries') as string[]).length, 1000)
})

test('a delivery that could not be stored is told so, and taken when it comes again', async () => {
  let down = true
  const stored: ChangeInput[] = []
  await using host = await listen(
    {},
    {
      override: {
        async submitChange(change) {
          if (down && stored.length === 1) throw new CiError({ code: 'BOLT_STORE_FULL', message: 'The disk is full.' })
          const duplicate = stored.some(({ revision }) => revision === change.revision)
          if (!duplicate) stored.push(change)
          return { change: { id: stored.length } as never, duplicate }
        },
      },
    },
  )
  const sent = delivery('github', 'push', payloadOf('github/push'))
  assert.deepEqual(await post(host, sent), {
    status: 503,
    text: 'It could not be stored, try again later: The disk is full.',
  })
  down = false
  assert.deepEqual(await post(host, sent), { status: 200, text: '2 changes taken; 1 change known before.' })
})

test('a change that a plugin refuses is passed over, the others are taken', async () => {
  await using host = await listen(
    {},
    {
      override: {
        async submitChange({ comments }) {
          if (comments === 'Rename it') throw new CiError({ code: 'MINE', message: 'No renames.' })
          return { change: { id: 1 } as never, duplicate: false }
        },
      },
    },
  )
  const { status, text } = await post(host, delivery('github', 'push', payloadOf('github/push')))
  assert.deepEqual([status, text], [200, '2 changes taken; one refused: No renames.'])
})

const WRONG: readonly (readonly [ForgeName, event: string, body: string, status: number, text: RegExp])[] = [
  ['github', 'push', '{', 400, /^The body is not JSON\.$/],
  ['github', 'push', '[]', 400, /^This is no push of GitHub: The body is wrong \(.+\)\.$/],
  ['github', 'push', '{"ref": 7}', 400, /^This is no push of GitHub: "ref" is wrong \(.+\)\.$/],
  ['gitlab', 'Push Hook', '{"object_kind":"push","ref":"refs/heads/x"}', 400, /"before" is wrong/],
  ['gitea', 'pull_request', '{"action":"opened"}', 400, /^This is no pull request of Gitea: "number" is wrong/],
  ['bitbucketCloud', 'repo:push', '{"repository":{"full_name":"a/b"},"push":{"changes":7}}', 400, /"push\.changes"/],
  ['bitbucketServer', 'repo:refs_changed', '{"test":true}', 400, /"repository" is wrong/],
  ['github', 'star', '{}', 200, /^Ignored: it is a "star" event\.$/],
  ['github', 'push', payloadOf('github/push').replace('refs/heads/main', 'refs/notes/x'), 200, /neither a branch nor/],
  ['plain', '', '{}', 400, /^This is no change: "who" is wrong \(it is missing\)\.$/],
  ['plain', '', '{"changes":[{"who":"jane"},{"who":"zoe","files":"a"}]}', 400, /"changes\.1\.files" is wrong/],
  ['plain', '', '{"who":"jane","when":"now"}', 400, /"when" is wrong/],
  ['plain', '', '{"who":"jane","properties":[1]}', 400, /"properties" is wrong \(it is no object\)/],
]

for (const [forge, event, body, status, text] of WRONG)
  test(`${forge}: ${body.slice(0, 40).replaceAll('\n', ' ')} is answered ${status} ${text.source}`, async () => {
    await using host = await listen({ forge })
    const answer = await post(host, delivery(forge, event, body))
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.text, text)
    assert.equal(host.records.changes.length, 0)
  })

test('another content type is answered 415', async () => {
  await using host = await listen()
  const sent = delivery('github', 'push', '<push/>')
  const answer = await post(host, { ...sent, headers: { ...sent.headers, 'Content-Type': 'text/xml' } })
  assert.deepEqual(answer, { status: 415, text: 'The content type is "text/xml"; it must be application/json.' })
})

/** A master with pollers of one repository: which branches they watch, and how they fare. */
function pollers(repository: string, view: Partial<PollerView> = {}, watches = (_: string) => true) {
  const asked: string[] = []
  const fares = { repository, lastGood: 0, failures: 0, ...view }
  const options: TestHostOptions = {
    query: { pollers: async () => [fares as PollerView] },
    override: {
      async pollSoon(name, { branch = '' } = {}) {
        asked.push(`${name} ${branch}`)
        return watches(branch) ? 1 : 0
      },
    },
  }
  return { asked, options, fares: fares as { lastGood: number; failures: number } }
}

test('what a payload does not carry whole is left to the poller of the repository, by its own name for it', async () => {
  const address = 'git@gitlab.example.org:Jane/Hello.git'
  const { asked, options } = pollers(address)
  await using host = await listen({ forge: 'gitlab' }, options)
  const many = delivery('gitlab', 'Push Hook', payloadOf('gitlab/push-many'))
  assert.deepEqual(await post(host, many), { status: 200, text: 'A poller looks at "main" now.' })
  assert.deepEqual(asked, [`${address} main`])
  assert.equal(host.records.changes.length, 0)
  await post(host, many)
  assert.equal(asked.length, 2, 'the poll may have failed')
})

test('what no poller watches is taken from the payload', async () => {
  const { options } = pollers('https://gitlab.example.org/jane/hello.git', {}, (branch) => branch !== 'main')
  await using host = await listen({ forge: 'gitlab' }, options)
  const { text } = await post(host, delivery('gitlab', 'Push Hook', payloadOf('gitlab/push-many')))
  assert.equal(text, '20 changes taken.')
  assert.equal(host.log.find('warn').length, 1)
})

test('Bitbucket Server says of a repository only its name: the poller whose address ends so is meant', async () => {
  const { asked, options } = pollers('ssh://git@bitbucket.example.org:7999/lamps/hello.git')
  await using host = await listen({ forge: 'bitbucketServer' }, options)
  await post(host, delivery('bitbucketServer', 'repo:refs_changed', payloadOf('bitbucket-server/push')))
  assert.deepEqual(asked, ['ssh://git@bitbucket.example.org:7999/lamps/hello.git main'])
})

test('behind a missed delivery pushes are left to the poller until it has looked: order is kept', async () => {
  const { asked, options, fares } = pollers('https://gitlab.example.org/jane/hello.git')
  await using host = await listen({ forge: 'gitlab' }, options)
  const push = (before: string, after: string) => {
    const payload = JSON.parse(payloadOf('gitlab/push'))
    const [one] = payload.commits
    const body = { ...payload, before, after, checkout_sha: after, total_commits_count: 1 }
    return post(
      host,
      delivery('gitlab', 'Push Hook', JSON.stringify({ ...body, commits: [{ ...one, id: after, message: after }] })),
    )
  }
  await push('a', 'b')
  await host.clock.advance(1000)
  assert.match((await push('c', 'd')).text, /a poller looks at "main" now/i) // b to c was missed
  await host.clock.advance(1000)
  assert.match((await push('d', 'e')).text, /a poller looks at "main" now/i) // the poller is not through yet
  fares.lastGood = host.clock.now()
  await host.clock.advance(1000)
  await push('e', 'f')
  assert.deepEqual(comments(host), ['b', 'f'])
  assert.equal(asked.length, 2)

  fares.failures = 3
  await push('g', 'h')
  assert.deepEqual(comments(host), ['b', 'f', 'h'], 'late is worse than out of order')
})

test('a program posts changes as JSON or as a form, and is told how many were taken', async () => {
  await using host = await listen({ forge: 'plain', project: 'hello' })
  const bearer = { Authorization: `Bearer ${SECRET}` }
  const json = { ...bearer, 'Content-Type': 'application/json' }
  const full = {
    id: 'hello 9f2c1e7',
    author: 'Jane Doe <jane@example.org>',
    comments: 'light',
    files: ['src/lämp.c'],
    branch: 'main',
    revision: '9f2c1e7',
    repository: 'https://git.example.org/hello.git',
    codebase: 'lib',
    category: 'web',
    revlink: 'https://git.example.org/9f2c1e7',
    links: ['https://bugs.example.org/7'],
    when: 1_700_000_000.5,
    properties: { urgent: true },
    colour: 'red',
  }
  const path = '/hooks/plain'
  assert.deepEqual(await post(host, { path, headers: json, body: JSON.stringify(full) }), {
    status: 200,
    text: '{"taken":1,"known":0,"refused":[]}',
  })
  const { id, author, colour, ...rest } = full
  assert.deepEqual(host.records.changes[0], { ...rest, who: author, project: 'hello', when: 1_700_000_000_500 })
  assert.match((await post(host, { path, headers: json, body: JSON.stringify({ id, who: 'x' }) })).text, /"taken":0/)

  const form = new URLSearchParams({ who: 'zoe', comments: 'dark', properties: '{"a":1}', when: '1700000000' })
  for (const file of ['a b', 'ü']) form.append('files', file)
  const headers = { ...bearer, 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' }
  await post(host, { path, headers, body: form.toString() })
  const { who, files, properties, when } = host.records.changes[1]!
  assert.deepEqual([who, files, properties, when], ['zoe', ['a b', 'ü'], { a: 1 }, 1_700_000_000_000])
  await post(host, { path, headers, body: 'who=zoe&files=%5B%22c%22%2C%22d%22%5D&branch=' })
  assert.deepEqual([host.records.changes[2]!.files, host.records.changes[2]!.branch], [['c', 'd'], null])

  const batch = { id: 'two', changes: [{ who: 'a', revision: '1' }, { who: 'b' }] }
  await post(host, { path, headers: json, body: JSON.stringify(batch) })
  assert.deepEqual(
    host.records.changes.slice(3).map((change) => [change.who, change.key]),
    [
      ['a', undefined],
      ['b', 'post two 1'],
    ],
  )
})

test('a form with a field that should be JSON and is none says which', async () => {
  await using host = await listen({ forge: 'plain' })
  const headers = { Authorization: `bearer ${SECRET}`, 'Content-Type': 'application/x-www-form-urlencoded' }
  const said = async (body: string) => (await post(host, { path: '/hooks/plain', headers, body })).text
  assert.equal(await said('who=zoe&properties=%7B'), 'The field "properties" is not JSON.')
  assert.equal(await said('who=zoe&files=%5Bx'), 'The field "files" is not JSON.')
  assert.match(await said('who=zoe&when=soon'), /"when" is wrong/)
})

test('what is posted without an id may be posted twice; when it is signed it may not be sent on by others', async () => {
  await using host = await listen({ forge: 'plain' })
  const headers = { Authorization: `Bearer ${SECRET}`, 'Content-Type': 'application/json' }
  for (let i = 0; i < 2; i++) await post(host, { path: '/hooks/plain', headers, body: PLAIN })
  assert.equal(host.records.changes.length, 2)
  for (let i = 0; i < 2; i++) await post(host, delivery('plain', '', PLAIN))
  assert.equal(host.records.changes.length, 3)
})
