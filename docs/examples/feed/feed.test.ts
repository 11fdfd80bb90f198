import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { feed } from './feed.ts'
import { parseFeed } from './parse-feed.ts'

test('entries of RSS and Atom are read', () => {
  const rss = `<rss><channel><title>News</title><item><title>A &amp; B</title><link>https://e.org/1</link>
    <guid isPermaLink="false">one</guid><dc:creator><![CDATA[Jane]]></dc:creator></item></channel></rss>`
  assert.deepEqual(parseFeed(rss), [{ id: 'one', title: 'A & B', author: 'Jane', link: 'https://e.org/1' }])
  const atom = `<feed><entry><id>tag:2</id><title>v2</title><link rel="alternate" href="https://e.org/2"/>
    <author><name>Joe</name></author></entry></feed>`
  assert.deepEqual(parseFeed(atom), [{ id: 'tag:2', title: 'v2', author: 'Joe', link: 'https://e.org/2' }])
})

test('each new entry is a change, once', async (t) => {
  let entries = ['1.0']
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    const etag = `"${entries.length}"`
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
    const items = entries.map((version) => `<entry><id>${version}</id><title>Release ${version}</title></entry>`)
    response.writeHead(200, { etag }).end(`<feed>${items.join('')}</feed>`)
  }).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  await using host = createTestHost()
  await host.run(feed({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }))

  await host.poll()
  entries = ['1.2', '1.1', '1.0']
  await host.poll()
  await host.poll()

  assert.equal(asked, 3)
  assert.deepEqual(
    host.records.changes.map(({ comments }) => comments),
    ['Release 1.1', 'Release 1.2'],
  )
})
