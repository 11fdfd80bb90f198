import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CiError, definePlugin, hashPassword, isPassword, isPasswordHash } from 'boltbot/plugin-sdk'
import { web } from 'boltbot/plugins/status/web'
import { createSite } from './site.ts'

const DOCS = '/builders/docs%20%26%20%3Cmore%3E'
const form = (fields: Readonly<Record<string, string>>) => ({ method: 'POST', body: new URLSearchParams(fields) })

test('a person asks for a build, sees why it waits, cancels it, stops one and builds one again', async () => {
  await using site = await createSite()
  const { jane, rig } = site
  const post = (path: string, fields: Readonly<Record<string, string>> = {}) =>
    site.get(path, { ...form(fields), headers: jane })
  assert.match(await (await site.get(DOCS, { headers: jane })).text(), /Signed in as <b>jane<\/b>/)

  const first = await post(`${DOCS}/force`, { reason: 'try it', branch: 'main', name1: 'speed', value1: 'fast' })
  assert.deepEqual([first.status, first.headers.get('location')], [303, '/requests/1'])
  await rig.settle()
  const build = await rig.build('docs & <more>', 0)
  assert.equal(build.reason, 'try it')
  assert.equal(build.sourceStamp.branch, 'main')
  assert.equal(build.properties.speed?.value, 'fast')

  await post(`${DOCS}/force`, { reason: 'again' })
  await rig.settle()
  assert.match(await site.text('/requests/2'), /waits.*slave bot-bsd busy with docs &amp; &lt;more&gt; #0/s)
  assert.equal((await post('/requests/2/cancel')).headers.get('location'), '/requests/2')
  assert.match(await site.text('/requests/2'), /cancelled/)
  const again = await post('/requests/2/cancel')
  assert.equal(again.status, 409)
  assert.match(await again.text(), /<h1>Not done<\/h1>/)

  assert.equal((await post(`${DOCS}/builds/0/stop`)).headers.get('location'), `${DOCS}/builds/0`)
  await rig.settle()
  assert.equal((await rig.build('docs & <more>', 0)).result, 'cancelled')
  assert.equal((await post(`${DOCS}/builds/0/rebuild`)).headers.get('location'), '/requests/3')
  assert.equal((await post(`${DOCS}/builds/9/stop`)).status, 404)
  assert.equal((await post('/builders/none/force', { reason: 'x' })).status, 404)
})

test('who is not signed in may only look', async () => {
  await using site = await createSite()
  const refused = await site.get(`${DOCS}/force`, form({ reason: 'x' }))
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm=/)
  assert.doesNotMatch(await site.text(DOCS), /<form/)
  assert.equal((await site.rig.master.query.requests()).length, 0)
  assert.equal((await site.get('/login?to=%2Fbuilders')).status, 401)
  const signedIn = await site.get('/login?to=%2Fbuilders', { headers: site.jane })
  assert.deepEqual([signedIn.status, signedIn.headers.get('location')], [303, '/builders'])
  for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)'])
    assert.equal(
      (await site.get(`/login?to=${encodeURIComponent(to)}`, { headers: site.jane })).headers.get('location'),
      '/',
    )
})

test('wrong passwords are refused, and too many of them turned away', async () => {
  await using site = await createSite()
  const login = async (password: string) =>
    (await site.get('/', { headers: { authorization: `Basic ${btoa(`jane:${password}`)}` } })).status
  assert.equal(await login('open sesame'), 200)
  for (let i = 0; i < 10; i++) assert.equal(await login(`guess ${i}`), 401)
  assert.equal(await login('guess'), 429)
  await site.rig.clock.advance('1m')
  assert.equal(await login('open sesame'), 200)
})

test('a page of somebody else cannot act with the browser of one of us', async () => {
  await using site = await createSite()
  const post = async (headers: Readonly<Record<string, string>>, path = `${DOCS}/force`) =>
    (await site.get(path, { ...form({ reason: 'x' }), headers: { ...site.jane, ...headers } })).status
  for (const path of [`${DOCS}/force`, `/api/v1${DOCS}/force`]) {
    assert.equal(await post({ 'sec-fetch-site': 'cross-site' }, path), 403)
    assert.equal(await post({ 'sec-fetch-site': 'same-site' }, path), 403)
    assert.equal(await post({ origin: 'https://evil.example' }, path), 403)
    assert.equal(await post({ origin: 'null' }, path), 403)
  }
  assert.equal(await post({ 'sec-fetch-site': 'same-origin' }), 303)
  assert.equal(await post({ origin: site.url }), 303)
})

test('a guard of the master refuses, and says why', async () => {
  const guard = definePlugin({
    name: 'guard',
    kind: 'service',
    apply(host) {
      host.tap('guardAction', ({ action, who, via }) => {
        if (action === 'force')
          throw new CiError({ code: 'HOUSE_NO', message: `"${who}" may not ${action} by ${via}.` })
      })
    },
  })
  await using site = await createSite({ plugins: [guard()] })
  const answer = await site.get(`${DOCS}/force`, { ...form({ reason: 'x' }), headers: site.jane })
  assert.equal(answer.status, 403)
  assert.match(await answer.text(), /&quot;jane&quot; may not force by plugin:status\/web/)
})

test('who is signed in may do what the access rules let them, and is told when not', async () => {
  await using site = await createSite({ access: { stop: ['person:jane'] } })
  const answer = await site.get(`${DOCS}/force`, { ...form({ reason: 'x' }), headers: site.jane })
  assert.equal(answer.status, 403)
  assert.match(await answer.text(), /<h1>Not done<\/h1><p>[^<]*jane/)
  assert.equal((await site.rig.master.query.requests()).length, 0)
})

test('a proxy names the person, but only one that is trusted', async () => {
  for (const [trustedProxies, expected] of [
    [['127.0.0.1'], 303],
    [[], 403],
  ] as const) {
    await using site = await createSite({
      http: { port: 0, trustedProxies },
      status: [web({ userHeader: 'X-Forwarded-User' })],
    })
    const answer = await site.get(`${DOCS}/force`, { ...form({ reason: 'x' }), headers: { 'x-forwarded-user': 'joe' } })
    assert.equal(answer.status, expected)
    if (expected === 303) assert.equal((await site.rig.master.query.buildset(1))?.owner, 'joe')
  }
})

test('the API tells and does the same in JSON', async () => {
  await using site = await createSite()
  await site.change('r1')
  // biome-ignore lint/suspicious/noExplicitAny: the shapes are what is tested
  const json = async (path: string): Promise<any> => (await site.get(`/api/v1${path}`)).json()
  const post = async (path: string, body: unknown, headers = site.jane) => {
    const answer = await site.get(`/api/v1${path}`, { method: 'POST', body: JSON.stringify(body), headers })
    // biome-ignore lint/suspicious/noExplicitAny: as above
    return [answer.status, (await answer.json().catch(() => null)) as any] as const
  }
  assert.deepEqual(
    (await json('/builders')).map((builder: { name: string; lastResult: string }) => [
      builder.name,
      builder.lastResult,
    ]),
    [
      ['full', 'success'],
      ['full-bsd', 'failure'],
      ['docs & <more>', null],
    ],
  )
  assert.equal((await json('/builders/full/builds/0')).result, 'success')
  assert.deepEqual(
    (await json('/changes')).map((change: { revision: string }) => change.revision),
    ['r1'],
  )
  assert.equal((await json('/builds?limit=1')).length, 1)
  for (const path of ['/slaves', '/schedulers', '/requests', '/changes/1', '/requests/1', '/builders/full/builds', ''])
    assert.ok(await json(path), path)

  assert.deepEqual(await post(`${DOCS}/force`, { reason: 'api', properties: { depth: 3 } }), [
    202,
    { buildset: 2, requests: [3], warning: null },
  ])
  await site.rig.settle()
  assert.equal((await site.rig.build('docs & <more>', 0)).properties.depth?.value, 3)
  assert.equal((await post(`${DOCS}/force`, { raison: 'api' }))[0], 400)
  assert.equal((await post(`${DOCS}/force`, [1]))[0], 400)
  const [status, failed] = await post('/builders/none/force', {})
  assert.deepEqual([status, failed.error.code], [404, 'BOLT_BUILDSETS_UNKNOWN_BUILDER'])
  assert.equal((await post(`${DOCS}/force`, {}, {}))[0], 401)
})

test('passwords are kept as hashes that tell nothing', async () => {
  const one = await hashPassword('sésame')
  assert.notEqual(one, await hashPassword('sésame'))
  assert.ok(isPasswordHash(one))
  assert.ok(await isPassword('sésame', one))
  assert.ok(await isPassword('se\u0301same', one)) // typed on another keyboard
  assert.equal(await isPassword('sesame', one), false)
  for (const text of ['', 'sesame', '$scrypt$ln=30,r=8,p=1$AAAA$AAAA', '$scrypt$ln=15,r=99,p=99$AAAA$AAAA'])
    assert.equal(isPasswordHash(text), false, text)
})
