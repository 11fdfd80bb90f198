import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { createFakeClock, createTestHost } from 'boltbot/plugin-sdk/testing'
import { bonsaiPoller } from 'boltbot/plugins/vc/bonsai'

const NOW = 1_000_000_000_000

it('the Bonsai poller asks for what came, in any charset, and hands each commit in once', async () => {
  const asked: URL[] = []
  let items = [commit('old', 3000)]
  await using server = await serve((url) => {
    asked.push(url)
    const xml = `<?xml version="1.0" encoding="ISO-8859-1"?><queryResults>${items.join('')}</queryResults>`
    return { status: 200, body: Buffer.from(xml, 'latin1') }
  })
  await using host = createTestHost({ clock: createFakeClock({ start: NOW }) })
  await host.run(bonsaiPoller({ bonsaiurl: server.url, treeid: 'Hello', cvsroot: '/cvsroot', pollInterval: '30s' }))
  await host.poll()
  assert.equal(host.records.changes.length, 0)
  items = [...items, commit('zwei', 600), commit('drei für & wider', 300), commit('young', 1)]
  await host.poll()
  await host.poll()
  assert.deepEqual(
    host.records.changes.map(({ who, files, comments, when }) => ({ who, files, comments, when })),
    [
      { who: 'jane', files: ['src/a.c', 'b.c'], comments: 'zwei', when: NOW - 600_000 },
      { who: 'jane', files: ['src/a.c', 'b.c'], comments: 'drei für & wider', when: NOW - 300_000 },
    ],
  )
  await host.clock.advance('1m')
  await host.poll()
  assert.equal(host.records.changes.at(-1)?.comments, 'young')
  assert.equal(asked[0]!.pathname, '/cvsquery.cgi')
  assert.equal(asked[0]!.searchParams.get('treeid'), 'Hello')
})

it('the Bonsai poller says in a sentence what is wrong with the server, and shows no password', async () => {
  let answer = { status: 500, body: Buffer.from('') }
  await using server = await serve(() => answer)
  await using host = createTestHost()
  const bonsaiurl = server.url.replace('://', '://jane:hush@')
  await host.run(bonsaiPoller({ bonsaiurl, treeid: 'Hello', cvsroot: '/cvsroot' }))
  await assert.rejects(host.poll(), (error: Error) => /answers 500/.test(error.message) && !/hush/.test(error.message))
  answer = { status: 200, body: Buffer.from('<html>Not found<p>') }
  await assert.rejects(host.poll(), { code: 'BOLT_VC_UNREADABLE' })
  assert.equal(server.authorizations.at(-1), `Basic ${Buffer.from('jane:hush').toString('base64')}`)
})

const commit = (log: string, secondsAgo: number) =>
  `<ci who="jane" date="${NOW / 1000 - secondsAgo}"><log>${log.replace('&', '&amp;')}</log>` +
  '<files><f rev="1.2">src/a.c</f><f rev="1.3">b.c</f></files></ci>'

async function serve(answer: (url: URL) => { readonly status: number; readonly body: Buffer }) {
  const authorizations: (string | undefined)[] = []
  const server = createServer((request, response) => {
    authorizations.push(request.headers.authorization)
    const { status, body } = answer(new URL(request.url ?? '', 'http://localhost'))
    response.writeHead(status).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authorizations,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
