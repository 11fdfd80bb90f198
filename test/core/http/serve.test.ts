import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot'
import { definePlugin, type Host, type PluginInstance } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { compile } from 'boltbot/plugins/steps'
import { createRig, type RigOptions } from '../../rig/rig.ts'

const bot = slave({ name: 'bot', password: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([compile()]) })
const base: RigOptions = { slaves: [bot], builders: [full], http: { port: 0 } }

/** A plugin that serves pages, and the url they are at. */
function pages(
  id: string,
  apply: (host: Host) => void,
): { readonly plugin: PluginInstance; readonly url: () => string } {
  let host: Host | undefined
  const plugin = definePlugin({
    name: id,
    kind: 'service',
    needs: ['http'],
    apply(given) {
      host = given
      apply(given)
    },
  })
  return { plugin: plugin({ id }), url: () => host!.http.url()! }
}

async function serving(apply: (host: Host) => void, options: Partial<RigOptions> = {}) {
  const { plugin, url } = pages('pages', apply)
  const rig = await createRig({ ...base, ...options, plugins: [plugin] })
  return {
    rig,
    plugin,
    url: () => new URL(url()).href.replace(/\/$/, ''),
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  }
}

/** What a server says to these bytes, until it closes. */
async function raw(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let said = ''
  socket.on('data', (data) => {
    said += data
  })
  socket.write(text)
  await until(once(socket, 'close'), { what: 'the server to close' })
  return said
}

test('a route gets what was asked, and its answer goes out with safe headers', async () => {
  const asked: unknown[] = []
  await using server = await serving((host) => {
    host.http.route('POST', '/things/:name', (request) => {
      const { method, path, params, client, proxied, headers } = request
      asked.push({ method, path, params, query: request.query.get('q'), client, proxied, type: headers['x-kind'] })
      return { status: 201, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(request.json()) }
    })
  })
  const answer = await fetch(`${server.url()}/things/a%2Fb?q=1`, {
    method: 'POST',
    body: '{"x":1}',
    headers: { 'x-kind': 'k' },
  })
  assert.equal(answer.status, 201)
  assert.deepEqual(await answer.json(), { x: 1 })
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.deepEqual(asked, [
    {
      method: 'POST',
      path: '/things/a%2Fb',
      params: { name: 'a/b' },
      query: '1',
      client: '127.0.0.1',
      proxied: false,
      type: 'k',
    },
  ])
})

test('what cannot be served is said in a line: no page, no such method, malformed, too long, not ours', async () => {
  await using server = await serving((host) => {
    host.http.route('POST', '/small', (request) => ({ body: request.text() }), { maxBody: 4 })
  })
  const status = async (path: string, init?: RequestInit) => (await fetch(server.url() + path, init)).status
  assert.equal(await status('/none'), 404)
  assert.equal(await status('/small'), 405)
  assert.equal(await status('/small', { method: 'POST', body: '1234' }), 200)
  assert.equal(await status('/small', { method: 'POST', body: '12345' }), 413)
  assert.equal(await status('/%zz'), 400)
  assert.match(
    await raw(server.url(), 'GET /../../etc/passwd HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'),
    /^HTTP\/1.1 400/,
  )
  assert.match(
    await raw(server.url(), 'GET /small HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n'),
    /^HTTP\/1.1 421/,
  )
  assert.match(
    await raw(server.url(), `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1.1 431/,
  )
  assert.match(await raw(server.url(), 'EHLO there\r\n\r\n'), /^HTTP\/1.1 400/)
  // Sent in chunks, so that nobody knows its length beforehand.
  const chunks = '3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n'
  assert.match(
    await raw(
      server.url(),
      `POST /small HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
    ),
    /^HTTP\/1.1 413/,
  )
})

test('a path with a slash too much leads to the page', async () => {
  await using server = await serving((host) => host.http.route('GET', '/builders', () => ({ body: 'here' })))
  const answer = await fetch(`${server.url()}/builders/?x=1`, { redirect: 'manual' })
  assert.deepEqual([answer.status, answer.headers.get('location')], [308, '/builders?x=1'])
})

test('a handler that throws or hangs is answered for, and its plugin suspended when it goes on', async () => {
  let calls = 0
  let isHanging = false
  await using server = await serving((host) => {
    host.http.route('GET', '/throws', () => {
      calls++
      throw new Error('no lamp')
    })
    host.http.route('GET', '/hangs', ({ signal }) => {
      isHanging = true
      signal.addEventListener('abort', () => calls++)
      return new Promise(() => {})
    })
    host.http.route('GET', '/odd', () => ({ headers: { location: 'a\nb' } }))
    host.http.route('POST', '/json', (request) => ({ body: typeof request.json() }))
  })
  const { rig } = server
  const get = (path: string) => fetch(server.url() + path)
  const thrown = await get('/throws')
  assert.equal(thrown.status, 500)
  assert.doesNotMatch(await thrown.text(), /no lamp/) // what went wrong inside is no stranger's matter
  assert.ok(
    rig.log.lines.some(
      (line) => line.message === 'route failed' && /no lamp/.test(JSON.stringify(line.fields, errors)),
    ),
  )

  const hanging = get('/hangs')
  await until(() => isHanging, { what: 'the call' })
  await rig.clock.advance('30s')
  assert.equal((await hanging).status, 504)
  assert.equal(calls, 2)
  assert.equal((await get('/odd')).status, 500)
  assert.equal(rig.master.plugins.status().find(({ id }) => id === 'pages')!.errors, 3)

  // A stranger's bad body is no failure of the plugin.
  for (let i = 0; i < 30; i++)
    assert.equal((await fetch(`${server.url()}/json`, { method: 'POST', body: '{' })).status, 400)
  assert.equal(rig.master.plugins.status().find(({ id }) => id === 'pages')!.suspended, false)

  for (let i = 0; i < 17; i++) await get('/throws')
  assert.equal((await get('/throws')).status, 503)
  assert.equal(rig.master.plugins.status().find(({ id }) => id === 'pages')!.suspended, true)
})

test('events are streamed with heartbeats until the client goes or the plugin stops', async () => {
  const said = Promise.withResolvers<void>()
  let ended = 0
  const { rig, url } = await serving((host) => {
    host.http.route('GET', '/events', ({ headers, signal }) => ({
      events: (async function* () {
        yield { id: '7', event: 'news', data: `after ${headers['last-event-id']}\nsecond line` }
        await said.promise
        yield { data: 'later' }
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        ended++
      })(),
    }))
  })
  const answer = await fetch(`${url()}/events`, { headers: { 'last-event-id': '6' } })
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  assert.equal((await reader.read()).value, 'id: 7\nevent: news\ndata: after 6\ndata: second line\n\n')
  await rig.clock.advance('15s')
  assert.equal((await reader.read()).value, ': still here\n\n')
  said.resolve()
  assert.equal((await reader.read()).value, 'data: later\n\n')
  await reader.cancel()
  await until(() => ended === 1, { what: 'the stream to end' })

  const other = await fetch(`${url()}/events`)
  await rig[Symbol.asyncDispose]()
  assert.match(await other.text(), /later\n\n$/)
})

test('a page the client has is not sent again, and long ones go packed', async () => {
  const page = 'a line of a page\n'.repeat(1000)
  await using server = await serving((host) => {
    host.http.route('GET', '/page', () => ({ headers: { etag: '"v1"', 'content-type': 'text/html' }, body: page }))
  })
  const first = await fetch(`${server.url()}/page`)
  assert.equal(first.headers.get('content-encoding'), 'gzip')
  assert.equal(await first.text(), page)
  const again = await fetch(`${server.url()}/page`, { headers: { 'if-none-match': 'W/"v1"' } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
  const head = await fetch(`${server.url()}/page`, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('a restarted plugin is not missed: who asks meanwhile waits and gets the new page', async () => {
  const version = (text: string) =>
    definePlugin({
      name: 'pages',
      kind: 'service',
      needs: ['http'],
      apply(host, _: { v: string }) {
        host.http.route('GET', '/page', () => ({ body: text }))
        host.http.route('GET', `/only-${text}`, () => ({ body: text }))
      },
      start() {
        starts++
        return starting
      },
    })({ v: text })
  let starting: Promise<void> = Promise.resolve()
  let starts = 0
  const other = pages('other', (host) => host.http.route('GET', '/other', () => ({ body: 'other' })))
  const rig = await createRig({ ...base, plugins: [version('old'), other.plugin] })
  const get = async (path: string) => (await fetch(new URL(path, other.url()))).text()
  assert.equal(await get('/page'), 'old')

  const start = Promise.withResolvers<void>()
  starting = start.promise
  const applied = rig.reconfigure({ ...base, plugins: [version('new'), other.plugin] })
  await until(() => starts === 2, { what: 'the new one to start' })
  const asked = get('/page')
  assert.equal(await get('/other'), 'other') // all others are served all the time
  start.resolve()
  await applied
  assert.equal(await asked, 'new')
  assert.equal((await fetch(new URL('/only-old', other.url()))).status, 404)
  await rig[Symbol.asyncDispose]()
})

test('the address moves with the config; one that is taken leaves all as it was', async () => {
  const { rig, url, plugin } = await serving((host) => host.http.route('GET', '/page', () => ({ body: 'page' })))
  const before = url()
  const busy = await serving((host) => host.http.route('GET', '/page', () => ({ body: 'busy' })))
  const taken = Number(new URL(busy.url()).port)

  await assert.rejects(rig.reconfigure({ ...base, http: { port: taken }, plugins: [plugin] }), {
    code: 'BOLT_HTTP_PORT_TAKEN',
  })
  assert.equal(await (await fetch(`${before}/page`)).text(), 'page')
  await rig.reconfigure({ ...base, http: { port: 0, host: 'localhost' }, plugins: [plugin] })
  assert.notEqual(url(), before)
  assert.equal(await (await fetch(`${url()}/page`)).text(), 'page')
  await assert.rejects(fetch(`${before}/page`))
  await rig[Symbol.asyncDispose]()
  await busy.rig[Symbol.asyncDispose]()
})

test('behind a proxy with a path, pages are found with and without it', async () => {
  await using server = await serving(
    (host) => host.http.route('GET', '/page', ({ client, origin }) => ({ body: `${client} ${origin}` })),
    { http: { port: 0, trustedProxies: ['127.0.0.1'] }, buildbotURL: 'https://ci.example.org/bolt/' },
  )
  const { message, fields } = server.rig.log.lines.find((line) => line.message === 'pages are served')!
  assert.deepEqual([message, fields.url], ['pages are served', 'https://ci.example.org/bolt/'])
  const { port } = fields
  const headers = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'ci.example.org' }
  for (const path of ['/page', '/bolt/page']) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    assert.equal(await answer.text(), '192.0.2.7 https://ci.example.org')
  }
  assert.equal((await fetch(`http://127.0.0.1:${port}/boltpage`)).status, 404)
})

test('a master without a web server has no address, whatever buildbotURL says', async () => {
  const seen: (string | null)[] = []
  const asking = definePlugin({
    name: 'asking',
    kind: 'service',
    apply: (host) => host.tap('configApplied', () => void seen.push(host.http.url())),
  })
  const parts = { slaves: [bot], builders: [full], buildbotURL: 'https://ci.example.org/', plugins: [asking()] }
  await using rig = await createRig(parts)
  await rig.clock.advance(1)
  assert.deepEqual(seen, [null])
  await using served = await createRig({ ...parts, http: { port: 0 } })
  await served.clock.advance(1)
  assert.deepEqual(seen, [null, 'https://ci.example.org/'])
})

test('what cannot be is refused: no web server, two plugins for one page, a route after apply', async () => {
  await assert.rejects(
    createRig({ slaves: [bot], builders: [full], plugins: [pages('p', () => {}).plugin] }),
    /http: \{ port: 8010 \}/,
  )
  const [a, b] = ['a', 'b'].map((id) => pages(id, (host) => host.http.route('GET', '/x/:y', () => {})).plugin)
  await assert.rejects(createRig({ ...base, plugins: [a!, b!] }), {
    message: /Plugin "b" adds the route "GET \/x\/:y", which plugin "a" serves/,
  })
  const wrong = pages('wrong', (host) => host.http.route('GET', 'x', () => {})).plugin
  await assert.rejects(createRig({ ...base, plugins: [wrong] }), { message: /"x", which does not begin with "\/"/ })
})

const errors = (_: string, value: unknown) => (value instanceof Error ? value.message : value)
