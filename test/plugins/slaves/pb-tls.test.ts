import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { pbChangeSource } from 'boltbot/plugins/changes/pb'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { parsePbPort } from '../../../plugins/ports/pb/pb-address.ts'
import { reservePort } from '../../e2e/rig/ports.ts'
import { boltbot } from '../../peers/rig/run-program.ts'
import { connectRaw } from './pb-worker.ts'

const TLS = join(import.meta.dirname, '../../fixtures/tls')
const CERT = join(TLS, 'localhost.crt')
const secured = (port: number) => `ssl:${port}:privateKey=${join(TLS, 'localhost.key')}:certKey=${CERT}`

test('a port with a certificate is read as Buildbot has it', () => {
  const tls = { keyFile: '/k.pem', certFile: '/c.pem' }
  assert.deepEqual(parsePbPort('ssl:9989:privateKey=/k.pem:certKey=/c.pem'), { port: 9989, host: '127.0.0.1', tls })
  assert.deepEqual(parsePbPort('tls:9989:certKey=/c.pem:privateKey=/k.pem:interface=0.0.0.0'), {
    ...{ port: 9989, host: '0.0.0.0' },
    tls,
  })
  assert.deepEqual(parsePbPort('ssl:9989:privateKey=/k.pem:certKey=/c.pem:interface=\\:\\:1')?.host, '::1')
  assert.deepEqual(parsePbPort('tcp:9989:interface=0.0.0.0'), { port: 9989, host: '0.0.0.0' })
  for (const wrong of [
    ...['ssl:9989', 'ssl:x:privateKey=/k:certKey=/c', 'ssl:9989:privateKey=/k', 'ssl:9989:privateKey=k:certKey=c'],
    ...['ssl:9989:privateKey=/k:certKey=/c:dhParameters=/d', 'ssl:9989:privateKey=/k:certKey=/c:certKey=/c', 'ssl'],
  ])
    assert.equal(parsePbPort(wrong), undefined, wrong)
})

test('sendchange comes over TLS; the certificate is checked; who speaks plainly is turned away', async () => {
  const port = await reservePort()
  await using host = createTestHost()
  await host.run(pbChangeSource({ user: 'change', password: 'pw', port: secured(port) }))
  const send = (master: string, env: Readonly<Record<string, string>>) =>
    boltbot(['sendchange', '-m', master, '-a', 'change:pw', '-W', 'jane', '-c', 'x', 'a.c'], { env })
  const trusted = await send(`tls:localhost:${port}`, { NODE_EXTRA_CA_CERTS: CERT })
  assert.deepEqual([trusted.code, trusted.stderr], [0, ''])
  assert.deepEqual(
    host.records.changes.map(({ who }) => who),
    ['jane'],
  )
  const stranger = await send(`tls:localhost:${port}`, {})
  assert.equal(stranger.code, 1)
  assert.match(stranger.stderr, /cannot be reached: .*self-signed certificate/)
  const plain = await connectRaw(port)
  plain.socket.write('speaks something else')
  await plain.closed
  const broken = () => host.log.find('warn', 'connection broke the protocol')
  await until(() => broken().length > 0, { what: 'the plain connection to be logged', seen: () => host.log.text() })
  assert.match(String(broken().at(-1)!.fields.peer), /^127\.0\.0\.1:\d+$/)
  const old = connect({
    port,
    host: '127.0.0.1',
    ca: CERT,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL:@SECLEVEL=0',
  })
  const refused = await new Promise<Error>((resolve) => old.on('error', resolve))
  assert.match(refused.message, /alert protocol version/)
})

test('two plugins share a port only with the same certificate, and one that cannot be read is said', async () => {
  const port = await reservePort()
  await using host = createTestHost()
  await host.run(pbChangeSource({ user: 'change', password: 'pw', port: secured(port) }))
  await assert.rejects(host.run(stockWorkers({ port })), { code: 'BOLT_PB_CERTIFICATES_DIFFER' })
  await using other = createTestHost()
  const wrong = `ssl:${await reservePort()}:privateKey=/nowhere/key.pem:certKey=${CERT}`
  await assert.rejects(other.run(stockWorkers({ port: wrong })), { code: 'BOLT_PB_CERTIFICATE' })
  const swapped = `ssl:${await reservePort()}:privateKey=${CERT}:certKey=${CERT}`
  await using third = createTestHost()
  await assert.rejects(third.run(stockWorkers({ port: swapped })), { code: 'BOLT_PB_CERTIFICATE' })
})
