import assert from 'node:assert/strict'
import { createBananaDecoder } from '../../wire/pb/banana-decoder.ts'
import { encodeBanana } from '../../wire/pb/banana-encoder.ts'
import { createBroker } from '../../wire/pb/broker.ts'
import { encodeValue } from '../../wire/pb/jelly.ts'
import { STRANGER } from '../../wire/pb/limits.ts'
import { createLoginRoot } from '../../wire/pb/login.ts'
import type { Sexp } from '../../wire/pb/sexp.ts'
import { unjelly } from '../../wire/pb/unjelly.ts'
import { Referenceable, RemoteReference } from '../../wire/pb/values.ts'
import { bytesOf, pbCaptures } from '../wire/pb/captures.ts'
import { mutate } from './mutate.ts'
import { expectOnly, pick, type Target } from './target.ts'

const captures = pbCaptures().flatMap((capture) => [bytesOf(capture, 'c2s'), bytesOf(capture, 's2c')])
const input = (chance: () => number) => mutate(pick(captures, chance), pick(captures, chance), chance)

/** Decoding ends well or with a problem of the protocol; what came out can be encoded and comes out the same. */
export const banana: Target = {
  name: 'banana',
  run(chance) {
    const found: Sexp[] = []
    const bytes = input(chance)
    const decoder = createBananaDecoder(STRANGER, (sexp) => found.push(sexp))
    const cut = Math.floor(chance() * bytes.length)
    expectOnly('PbProblem', () => {
      decoder.push(bytes.subarray(0, cut))
      decoder.push(bytes.subarray(cut))
    })
    for (const sexp of found) {
      const again: Sexp[] = []
      createBananaDecoder(STRANGER, (element) => again.push(element)).push(encodeBanana(sexp))
      assert.deepEqual(again, [sexp])
    }
  },
}

const references = {
  remote: (luid: number) => new RemoteReference(luid, () => Promise.reject(new Error('not called'))),
  local: () => new Referenceable({}),
}

/** Values are made of lists alone, never of classes; what was made can be sent, unless it holds itself. */
export const values: Target = {
  name: 'jelly',
  run(chance) {
    const decoder = createBananaDecoder({ ...STRANGER, list: 1000, elements: 5000 }, (sexp) => {
      for (const part of Array.isArray(sexp) ? [sexp, ...sexp] : [sexp])
        expectOnly('JellyProblem', () => encodeValue(unjelly(part, references), () => 1))
    })
    expectOnly('PbProblem', () => decoder.push(input(chance)))
  },
}

const OPENING = Buffer.from('02827062028013870681', 'hex')

/** A server that hears nonsense gives up on that link, and never throws. */
export const broker: Target = {
  name: 'broker',
  run(chance) {
    const root = createLoginRoot({
      challenge: () => Buffer.alloc(16),
      password: () => 'x',
      enter: async () => new Referenceable({}),
      refused: () => {},
      tooMany: () => false,
      release: () => {},
    })
    let sent = 0
    const server = createBroker({
      role: 'server',
      root,
      send: (bytes) => {
        sent += bytes.length
      },
      broken: () => {},
      trouble: (_, error) => {
        throw error
      },
    })
    const bytes = input(chance)
    if (chance() < 0.9) server.receive(OPENING)
    server.receive(bytes)
    assert.ok(sent < 1000 + 20 * bytes.length, `${sent} bytes were sent for ${bytes.length}`)
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  },
}

const METHODS = ['addChange', 'subscribe', 'try', 'update']

/** The same behind a login, where messages may be large and objects of ours are known; and a client that hears it. */
export const friends: Target = {
  name: 'friends',
  run(chance) {
    let sent = 0
    const object: Referenceable = new Referenceable(Object.fromEntries(METHODS.map((name) => [name, () => [object]])))
    for (const role of ['server', 'client'] as const) {
      const end = createBroker({
        role,
        root: object,
        send(bytes) {
          sent += bytes.length
          return chance() < 0.5
        },
        broken: () => {},
        trouble: (_, error) => {
          throw error
        },
      })
      end.trust()
      if (role === 'client') end.root.call('try', [object, 'text', [1, null, object]]).catch(() => {})
      const bytes = input(chance)
      if (chance() < 0.9) end.receive(role === 'server' ? OPENING : HEARD_FIRST)
      end.receive(bytes)
      assert.ok(sent < 2000 + 40 * bytes.length, `${sent} bytes were sent for ${bytes.length}`)
      end.lost(new Error('over'))
      sent = 0
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  },
}

/** What a server says first. */
const HEARD_FIRST = Buffer.from('0280028270620482 6e6f6e65 0280138706 81'.replaceAll(' ', ''), 'hex')
