import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMessage, encodeMessage, type Message } from '../../../wire/msgpack/envelope.ts'
import { createPeer, type Peer, type PeerDeps, PeerError } from '../../../wire/msgpack/peer.ts'
import { messagesOf } from './captures.ts'

function connectPeers(handle: PeerDeps['handle'], deps: Partial<PeerDeps> = {}) {
  const troubles: unknown[] = []
  const end = (other: () => Peer, handler: PeerDeps['handle']): Peer =>
    createPeer({
      send: (bytes) => queueMicrotask(() => other().receive(bytes)),
      handle: handler,
      trouble: (_, error) => troubles.push(error),
      ...deps,
    })
  const server: Peer = end(() => client, handle)
  const client: Peer = end(
    () => server,
    () => null,
  )
  return { client, server, troubles }
}

test('every message of every recording is decoded, and encoded again means the same', () => {
  for (const name of ['msgpack-shell', 'msgpack-allcmds', 'msgpack-interrupt-shutdown'])
    for (const dir of ['c2s', 's2c'] as const) {
      const messages = messagesOf(name, dir)
      assert.ok(messages.length > 10, `${messages.length} messages in ${name} ${dir}`)
      for (const bytes of messages) {
        const message = decodeMessage(bytes)
        assert.ok(message, `${name} ${dir}`)
        assert.deepEqual(decodeMessage(encodeMessage(message)), message)
      }
    }
})

test('calls are numbered from 0 and answered in any order', async () => {
  const slow = Promise.withResolvers<string>()
  const heard: number[] = []
  const { client } = connectPeers((message: Message) => {
    heard.push(message.seq_number)
    return message.op === 'slow' ? slow.promise : `${message.text}!`
  })
  const first = client.call('slow')
  assert.equal(await client.call('echo', { text: 'hé' }), 'hé!')
  slow.resolve('late')
  assert.equal(await first, 'late')
  assert.deepEqual(heard, [0, 1])
})

test('what a handler raises is told, what it did not mean to is not', async () => {
  const { client, troubles } = connectPeers(({ op }) => {
    throw op === 'raise' ? new PeerError('no such thing') : new Error('secret')
  })
  await assert.rejects(client.call('raise'), { name: 'PeerError', message: 'no such thing' })
  await assert.rejects(client.call('fail'), (error: Error) => !error.message.includes('secret'))
  assert.equal(troubles.length, 1)
})

test('text, bytes and nothing stay what they are', async () => {
  const { client } = connectPeers(({ value }) => value ?? null)
  for (const value of ['text', Uint8Array.of(1, 2, 255), null, 1.5, [1, 'a'], { a: null }])
    assert.deepEqual(await client.call('echo', { value }), value)
})

test('calls fail when the link is lost, also those made later', async () => {
  const { client } = connectPeers(() => new Promise<null>(() => {}))
  const call = client.call('x')
  client.lost(new Error('gone'))
  await assert.rejects(call, /gone/)
  await assert.rejects(client.call('x'), /gone/)
})

test('messages without what all have are passed over; broken ones and answers to nothing are problems', () => {
  const peer = createPeer({ send: () => assert.fail('nothing to say'), handle: () => null, trouble: () => {} })
  for (const odd of ['', '80', '81a26f70a178', '93010203', 'c0']) if (odd !== '') peer.receive(Buffer.from(odd, 'hex'))
  for (const broken of ['81', 'd4ff00', '8080', `${'91'.repeat(40)}00`])
    assert.throws(() => peer.receive(Buffer.from(broken, 'hex')), { name: 'ProtocolError' }, broken)
  assert.throws(() => peer.receive(encodeMessage({ op: 'response', seq_number: 5, result: null })), /not made/)
})

test('many unanswered bytes say stop, and go on when they are answered', async () => {
  const said: boolean[] = []
  const waiting: (() => void)[] = []
  const { client } = connectPeers(() => new Promise<null>((resolve) => waiting.push(() => resolve(null))), {
    congested: (much) => said.push(much),
  })
  const calls = Array.from({ length: 9 }, () => client.call('take', { data: new Uint8Array(500_000) }))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(said, [true])
  for (const answer of waiting) answer()
  await Promise.all(calls)
  assert.deepEqual(said, [true, false])
})
