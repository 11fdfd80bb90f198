import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSite, type WebSite } from './site.ts'

/** All links of a page that lead to pages of ours. */
const linksOf = (page: string) =>
  [...page.matchAll(/(?:href|src)="([^"]+)"/g)]
    .map((match) => match[1]!.replaceAll('&amp;', '&'))
    .filter((to) => to.startsWith('/'))

async function settled(site: WebSite) {
  await site.change('r1')
  await site.change('r2', { who: 'joe', comments: '<script>alert(1)</script> & "more"' })
  await site.rig.master.force({ builder: 'docs & <more>', who: 'jane', reason: '<i>look</i>' }, 'test')
  await site.rig.settle()
}

test('every link leads to a page, from the overview on, and nothing a stranger wrote becomes markup', async () => {
  await using site = await createSite()
  await settled(site)
  const open = ['/']
  const seen = new Map<string, string>()
  while (open.length > 0) {
    const path = open.pop()!
    if (seen.has(path)) continue
    const answer = await site.get(path)
    if (/^\/login/.test(path)) {
      assert.equal(answer.status, 401)
      seen.set(path, '')
      continue
    }
    assert.equal(answer.status, 200, path)
    const isPage = answer.headers.get('content-type')!.startsWith('text/html')
    const text = await answer.text()
    seen.set(path, text)
    if (!isPage) continue
    assert.doesNotMatch(text, /<script>|<i>look|<b>broken|undefined|\[object|NaN/, path)
    assert.match(text, /^<!doctype html>\n<html lang="en">/)
    open.push(...linksOf(text))
  }
  for (const path of [
    '/builders',
    '/builders/full',
    '/builders/docs%20%26%20%3Cmore%3E',
    '/builders/full/builds/0',
    '/builders/full-bsd/builds/1/steps/1/logs/stdio',
    '/builders/full-bsd/builds/1/steps/1/logs/stdio/raw',
    '/slaves/bot-linux',
    '/changes/1',
    '/schedulers',
  ])
    assert.ok(seen.has(path), `${path} is linked from somewhere`)
})

test('a build shows its steps, the last words of the one that failed, its source, changes and people', async () => {
  await using site = await createSite()
  await site.change('r1')
  const page = await site.text('/builders/full-bsd/builds/0')
  for (const part of [
    /<h1>full-bsd #0 .*failure/,
    /not ok 2 &lt;b&gt;broken&lt;\/b&gt; &amp; <span class="c1 bold">red<\/span>/,
    /<a href="\/changes\/1">Say hello to r1<\/a>/,
    /<h2>Blamelist<\/h2><p>Jane Doe<\/p>/,
    /<th scope="row">slavename<\/th><td><code>bot-bsd<\/code>/,
    /href="\/builders\/full-bsd\/builds\/0\/steps\/0\/logs\/stdio"/,
  ])
    assert.match(page, part)
  assert.doesNotMatch(page, /jane@example\.org/) // an address is not for everybody
  assert.doesNotMatch(page, /<form/) // nor are the buttons
})

test('the overview says that nothing was built yet, and names the builders that are red', async () => {
  await using site = await createSite()
  const summary = async () => /<p id="summary"[^>]*>(.*?)<\/p>/.exec(await site.text('/'))?.[1]?.trim()
  assert.equal(await summary(), '<b>Nothing has been built yet.</b>')
  await site.change('r1')
  assert.equal(await summary(), '<b class="bad">1 of 3 builders is red:</b> <a href="/builders/full-bsd">full-bsd</a>.')
})

test('a build leads to the builds before and after it', async () => {
  await using site = await createSite()
  for (const revision of ['r1', 'r2', 'r3']) await site.change(revision)
  const around = async (number: number) =>
    [...(await site.text(`/builders/full/builds/${number}`)).matchAll(/rel="(prev|next)" href="([^"]+)"/g)].map(
      ([, rel, path]) => `${rel} ${path}`,
    )
  assert.deepEqual(await around(0), ['next /builders/full/builds/1'])
  assert.deepEqual(await around(1), ['prev /builders/full/builds/0', 'next /builders/full/builds/2'])
  assert.deepEqual(await around(2), ['prev /builders/full/builds/1'])
})

test('what is not there is one clear 404, on pages and in the API', async () => {
  await using site = await createSite()
  for (const [path, said] of [
    ['/builders/none', /There is no builder &quot;none&quot;/],
    ['/builders/full/builds/7', /There is no build #7 of &quot;full&quot;/],
    ['/builders/full/builds/x', /There is no build #x/],
    ['/builders/full/builds/0/steps/0/logs/stdio', /There is no log/],
    ['/slaves/none', /There is no slave/],
    ['/changes/9', /There is no change 9/],
    ['/requests/9', /There is no request 9/],
    ['/waterfall', /There is no such page/],
    ['/a/b/c/d', /There is no such page/],
  ] as const) {
    const answer = await site.get(path)
    assert.equal(answer.status, 404, path)
    assert.match(await answer.text(), said)
  }
  const api = await site.get('/api/v1/builders/none')
  assert.deepEqual([api.status, api.headers.get('content-type')], [404, 'application/json'])
  assert.equal((await site.get('/api/v1/none')).headers.get('content-type'), 'application/json')
})

test('builds and changes come page by page', async () => {
  await using site = await createSite()
  for (let i = 0; i < 60; i++) await site.change(`r${i}`)
  const numbers = (page: string) =>
    [
      ...page.split('id="builds"')[1]!.matchAll(/<td class="name kept"><a href="\/builders\/full\/builds\/(\d+)">/g),
    ].map((match) => Number(match[1]))
  let path = '/builders/full'
  const seen: number[] = []
  for (let i = 0; i < 3; i++) {
    const page = await site.text(path)
    seen.push(...numbers(page))
    path = page.match(/<a href="([^"]+)" rel="next">/)?.[1] ?? ''
  }
  assert.equal(path, '')
  assert.deepEqual(
    seen,
    Array.from({ length: 60 }, (_, i) => 59 - i),
  )
  const changes = await site.text('/changes')
  const older = await site.text(changes.match(/<a href="([^"]+)" rel="next">/)![1]!)
  assert.match(changes, /Say hello to r59/)
  assert.match(older, /Say hello to r0/)
  assert.doesNotMatch(older, /rel="next"/)
})

test('the page is not sent again while it is the same', async () => {
  await using site = await createSite()
  await site.change('r1')
  const path = '/builders/full/builds/0'
  const etag = (await site.get(path)).headers.get('etag')!
  assert.equal((await site.get(path, { headers: { 'if-none-match': etag } })).status, 304)
  const policy = (await site.get(path)).headers.get('content-security-policy')!
  assert.match(policy, /default-src 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
})

test('behind a path, all links begin with it', async () => {
  await using site = await createSite({ buildbotURL: 'https://example.org/ci/' })
  await site.change('r1')
  for (const path of ['/ci/', '/ci/builders/full', '/builders/full/builds/0', '/ci/changes'])
    for (const link of linksOf(await site.text(path))) assert.match(link, /^\/ci\//, `${path}: ${link}`)
  assert.equal((await site.get('/ci/builders')).status, 200)
})
