import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { createClients, isOwnName } from '../../../core/http/client.ts'

const asked = (remoteAddress: string, headers: Readonly<Record<string, string>> = {}) =>
  ({ headers: { host: 'inner:8010', ...headers }, socket: { remoteAddress } }) as unknown as IncomingMessage // all that is read

test('headers of forwarding are believed of trusted proxies only', () => {
  const clientOf = createClients({ trustedProxies: ['10.0.0.0/8', '::1'] })
  const forwarded = {
    'x-forwarded-for': '6.6.6.6, 192.0.2.7, 10.0.0.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'ci.example.org',
  }
  assert.deepEqual(clientOf(asked('203.0.113.5', forwarded)), {
    address: '203.0.113.5',
    proxied: false,
    origin: 'http://inner:8010',
  })
  const seen = { address: '192.0.2.7', proxied: true, origin: 'https://ci.example.org' }
  assert.deepEqual(clientOf(asked('10.1.2.3', forwarded)), seen)
  assert.deepEqual(clientOf(asked('::ffff:10.1.2.3', forwarded)), seen)
  assert.deepEqual(clientOf(asked('::1')), { address: '::1', proxied: true, origin: 'http://inner:8010' })
})

test('a name of ours is an address, localhost, or that of buildbotURL', () => {
  for (const name of ['127.0.0.1:8010', '[::1]:80', 'localhost', 'ci.localhost:1', 'ci.example.org', undefined])
    assert.equal(isOwnName(name, 'ci.example.org'), true, String(name))
  for (const name of ['evil.example', 'ci.example.org.evil.example', 'localhost.evil.example', ''])
    assert.equal(isOwnName(name, 'ci.example.org'), false, name)
})
