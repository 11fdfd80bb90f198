import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBanana } from '../../../wire/pb/banana-encoder.ts'
import { createBroker } from '../../../wire/pb/broker.ts'
import { createLoginRoot, logIn, responseTo } from '../../../wire/pb/login.ts'
import { RaisedError } from '../../../wire/pb/remote-error.ts'
import type { Sexp } from '../../../wire/pb/sexp.ts'
import { Referenceable, RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'
import { connectPair } from './pair.ts'

const echo = () => new Referenceable({ echo: ([value], keywords) => [value!, keywords] })

test('a call gives what the method gave', async () => {
  const { client } = connectPair(echo())
  await client.opened
  assert.deepEqual(await client.root.call('echo', ['ä'], { message: 1 }), ['ä', new Map([['message', 1]])])
})

test('answers come in any order', async () => {
  const slow = Promise.withResolvers<Value>()
  const { client } = connectPair(new Referenceable({ slow: () => slow.promise, quick: () => 'quick' }))
  await client.opened
  const first = client.root.call('slow')
  assert.equal(await client.root.call('quick'), 'quick')
  slow.resolve('slow')
  assert.equal(await first, 'slow')
})

test('what a method raises comes with its class; what it did not mean to is not told', async () => {
  const root = new Referenceable({
    raise: () => {
      throw new RaisedError('a.B', 'no', ['a.B', 'a.A'])
    },
    fail: async () => {
      throw new Error('secret')
    },
  })
  const { client, troubles } = connectPair(root)
  await client.opened
  await assert.rejects(client.root.call('raise'), (error: { is(type: string): boolean; message: string }) => {
    assert.equal(error.message, 'no')
    return error.is('a.A') && error.is('a.B') && !error.is('a.C')
  })
  await assert.rejects(client.root.call('fail'), (error: Error) => !error.message.includes('secret'))
  assert.match(String(troubles[0]), /secret/)
})

test('only methods that an object has are called', async () => {
  const { client, broken } = connectPair(echo())
  await client.opened
  for (const name of ['constructor', '__proto__', 'toString', 'methods', ''])
    await assert.rejects(client.root.call(name), (error: { is(type: string): boolean }) =>
      error.is('twisted.spread.flavors.NoSuchMethod'),
    )
  await assert.rejects(
    new RemoteReference(99, () => client.root.call('echo', [])).call('x').then(() => Promise.reject(1)),
  )
  assert.deepEqual(broken, [])
})

test('objects go over, are called, and come home', async () => {
  const calls: Value[] = []
  const mine = new Referenceable({ tell: ([text]) => calls.push(text!) })
  const root = new Referenceable({
    async take([object]) {
      await (object as RemoteReference).call('tell', ['hello'])
      return object!
    },
  })
  const { client } = connectPair(root)
  await client.opened
  assert.equal(await client.root.call('take', [mine]), mine)
  assert.deepEqual(calls, ['hello'])
})

test('a released or dropped object cannot be called any more', async () => {
  const object = new Referenceable({ ping: () => 'pong' })
  const { server, client } = connectPair(new Referenceable({ get: () => object }))
  await client.opened
  const reference = (await client.root.call('get')) as RemoteReference
  assert.equal(await client.root.call('get'), reference)
  assert.equal(await reference.call('ping'), 'pong')
  client.drop(reference)
  await assert.rejects(reference.call('ping'), /Invalid Object ID/)
  const again = (await client.root.call('get')) as RemoteReference
  assert.notEqual(again.luid, reference.luid)
  server.release(object)
  await assert.rejects(again.call('ping'), /Invalid Object ID/)
})

test('calls fail when the link is lost, also those made later', async () => {
  const { client } = connectPair(new Referenceable({ never: () => new Promise<Value>(() => {}) }))
  await client.opened
  const call = client.root.call('never')
  client.lost(new Error('gone'))
  await assert.rejects(call, /gone/)
  await assert.rejects(client.root.call('never'), /gone/)
})

test('what cannot be sent fails alone', async () => {
  const { client } = connectPair(new Referenceable({ large: () => Buffer.alloc(700_000), ok: () => 1 }))
  await client.opened
  await assert.rejects(client.root.call('ok', ['x'.repeat(700_000)]), /700000 bytes/)
  await assert.rejects(client.root.call('large'))
  assert.equal(await client.root.call('ok'), 1)
})

/** A server that heard these bytes: why it gave up, if it did. */
function hear(...elements: (Sexp | Uint8Array)[]): { readonly broken: string[]; readonly sent: Buffer } {
  const broken: string[] = []
  const sent: Uint8Array[] = []
  const server = createBroker({
    role: 'server',
    root: echo(),
    send: (bytes) => void sent.push(bytes),
    broken: (reason) => broken.push(reason),
    trouble: () => {},
  })
  for (const element of elements) server.receive(element instanceof Uint8Array ? element : encodeBanana(element))
  return { broken, sent: Buffer.concat(sent) }
}

const dialect = Buffer.from('02827062', 'hex')

test('a server speaks first, and takes no strange dialect, version or message', () => {
  assert.equal(hear().sent.toString('hex'), '028002827062048 26e6f6e65'.replace(' ', ''))
  assert.match(hear(encodeBanana('xx')).broken[0]!, /dialect/)
  assert.match(hear(dialect, ['version', 5]).broken[0]!, /version/)
  assert.match(hear(dialect, ['version', 6], 'x').broken[0]!, /no list/)
  assert.match(hear(dialect, ['version', 6], ['message', 1]).broken[0]!, /right parts/)
  assert.match(hear(dialect, ['version', 6], ['answer', 1, 2]).broken[0]!, /not made/)
  assert.match(hear(Buffer.from(`GET / HTTP/1.1\r\nHost: ${'x'.repeat(60)}\r\n`)).broken[0]!, /digits/)
})

test('an unknown command is passed over; more calls at once than a stranger may have end the link', () => {
  const message = ['message', 1, 'root', 'echo', 1, ['tuple', ['None']], ['dictionary']]
  assert.deepEqual(hear(dialect, ['version', 6], ['frobnicate', 1], message).broken, [])
  const slow = connectPair(new Referenceable({ slow: () => new Promise<Value>(() => {}) }))
  return slow.client.opened.then(async () => {
    for (let i = 0; i < 9; i++) slow.client.root.call('slow').catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
    assert.match(slow.broken.join(), /More than 8 calls/)
  })
})

test('many unanswered bytes say stop, and go on when they are answered', async () => {
  const waiting: (() => void)[] = []
  const root = new Referenceable({ take: () => new Promise<Value>((resolve) => waiting.push(() => resolve(null))) })
  const { server, client, congested } = connectPair(root)
  server.trust()
  await client.opened
  const calls = Array.from({ length: 9 }, () => client.root.call('take', [Buffer.alloc(500_000)]))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(congested, [true])
  for (const answer of waiting) answer()
  await Promise.all(calls)
  assert.deepEqual(congested, [true, false])
})

test('of each end only so many objects are kept, and only so many calls wait', async () => {
  const root = new Referenceable({
    make: () => new Referenceable({}),
    take: () => null,
    slow: () => new Promise<Value>(() => {}),
  })
  const { server, client, broken } = connectPair(root)
  server.trust()
  await client.opened
  const made = await Promise.all(Array.from({ length: 20_000 }, () => client.root.call('make')))
  await assert.rejects(client.root.call('make'), /holds too many objects/)
  client.drop(made[0] as RemoteReference)
  await client.root.call('make')
  assert.deepEqual(broken, [])
  for (let i = 0; i <= 10_000; i++) client.root.call('slow').catch(() => {})
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(broken.join(), /server: More than 10000 calls wait/)
})

test('of the other end only so many objects are remembered', () => {
  const gives = (luid: number): Sexp => [
    'message',
    luid,
    'root',
    'echo',
    1,
    ['tuple', ['remote', luid]],
    ['dictionary'],
  ]
  const many = Array.from({ length: 20_000 }, (_, number) => gives(number + 1))
  const full = hear(dialect, ['version', 6], ...many)
  assert.deepEqual([full.broken, full.sent.includes('too many objects')], [[], false])
  const more = hear(dialect, ['version', 6], ...many, gives(20_001), gives(1))
  assert.deepEqual(more.broken, [])
  assert.equal(
    more.sent.toString('latin1').split('too many objects of yours').length,
    2,
    'the new one, not the known one',
  )
})

test('a login with the right password enters, others do not', async () => {
  const refused: string[] = []
  const root = createLoginRoot({
    challenge: () => Buffer.alloc(16, 7),
    password: (user) => (user === 'w1' ? 'pass1' : undefined),
    enter: async (user, mind) => {
      const answer = await mind?.call('print', [], { message: 'attached' })
      return new Referenceable({ who: () => new Tuple([user, answer ?? null]) })
    },
    refused: (user) => refused.push(user),
    tooMany: () => refused.length >= 2,
    release: () => {},
  })
  const { client } = connectPair(root)
  const mind = new Referenceable({ print: (_, keywords) => keywords.get('message')! })
  const perspective = await logIn(client, 'w1', 'pass1', mind)
  assert.deepEqual(await perspective.call('who'), new Tuple(['w1', 'attached']))
  const unauthorized = (error: { is(type: string): boolean }) => error.is('twisted.cred.error.UnauthorizedLogin')
  await assert.rejects(logIn(client, 'w1', 'wrong'), unauthorized)
  await assert.rejects(logIn(client, 'nobody', ''), unauthorized)
  assert.deepEqual(refused, ['w1', 'nobody'])
  await assert.rejects(logIn(client, 'w1', 'pass1'), unauthorized, 'too many tries')
})

test('the answer to a challenge is that of the real programs', () => {
  const challenge = Buffer.from('1e2b73ee0ebaccb45470c1f325a5221d', 'hex')
  assert.equal(Buffer.from(responseTo(challenge, 'pass1')).toString('hex'), '65e276bd43f6d0fad2acce12479f73f8')
})
