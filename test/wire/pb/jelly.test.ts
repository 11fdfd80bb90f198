import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBananaDecoder } from '../../../wire/pb/banana-decoder.ts'
import { encodeBanana } from '../../../wire/pb/banana-encoder.ts'
import { giveBack } from '../../../wire/pb/banana-writer.ts'
import { dictionaryOf, encodeMessage, encodeValue } from '../../../wire/pb/jelly.ts'
import { FRIEND } from '../../../wire/pb/limits.ts'
import { BananaFloat, type Sexp } from '../../../wire/pb/sexp.ts'
import { type Incoming, unjelly } from '../../../wire/pb/unjelly.ts'
import { Copy, Failure, Opaque, Referenceable, RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'
import { bytesOf, pbCaptures } from './captures.ts'

const nothing: Incoming = {
  remote: (luid) => new RemoteReference(luid, notCalled),
  local: () => assert.fail('no object of ours'),
}
const notCalled = () => assert.fail('not called')
const noObjects = () => assert.fail('no object of ours')

/** Over the wire. */
function decoded(bytes: Uint8Array): Sexp {
  const found: Sexp[] = []
  createBananaDecoder(FRIEND, (element) => found.push(element)).push(bytes)
  assert.equal(found.length, 1)
  return found[0]!
}

const pass = (sexp: Sexp) => decoded(encodeBanana(sexp))
const read = (sexp: Sexp) => unjelly(pass(sexp), nothing)
const passed = (value: Value, vocabulary = true) => decoded(encodeValue(value, noObjects, { vocabulary }))
const passValue = (value: Value, vocabulary = true) => unjelly(passed(value, vocabulary), nothing)

const values = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer().map((n) => n + 0),
    fc.double({ noNaN: true, noInteger: true }),
    fc.bigInt({ min: 2n ** 60n, max: 2n ** 100n }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('message', 'unicode', 'list', '__proto__', 'constructor'),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => new Tuple(items)),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 5 }).map((entries) => new Map<Value, Value>(entries)),
  ),
})).value

test('values come out as they went in', () => {
  fc.assert(
    fc.property(values, fc.boolean(), (value, words) => assert.deepEqual(passValue(value, words), value)),
    { numRuns: 1000 },
  )
})

test('values have the forms of the real programs, with words by number and without', () => {
  for (const [value, form] of [
    [null, ['None']],
    [true, ['boolean', 'true']],
    [false, ['boolean', 'false']],
    ['ü', ['unicode', 'ü']],
    ['message', ['unicode', 'message']],
    [Buffer.from('list'), 'list'],
    [1.5, 1.5],
    [2 ** 60, new BananaFloat(2 ** 60)],
    [
      [1, new Tuple([-2])],
      ['list', 1, ['tuple', -2]],
    ],
    [new Set([1n]), ['set', 1]],
    [dictionaryOf({ a: 1, left: undefined }), ['dictionary', [['unicode', 'a'], 1]]],
    [new Opaque('date', [Buffer.from('1 2 3')]), ['date', '1 2 3']],
  ] as const satisfies readonly (readonly [Value, Sexp])[])
    for (const vocabulary of [true, false])
      assert.deepEqual(encodeValue(value as Value, noObjects, { vocabulary }), encodeBanana(form, { vocabulary }))
})

test('texts of all lengths and alphabets have the bytes that Banana has for them', () => {
  for (const letter of ['a', 'ü', '漢', '😀', '\ud800'])
    for (const length of [0, 1, 22, 23, 24, 25, 40, 126, 127, 128, 16_383, 16_384, 70_000, 150_000]) {
      const text = `${'x'.repeat(length % 3)}${letter.repeat(length)}`
      const expected = Buffer.from(text)
      const bytes = encodeValue(text, noObjects)
      assert.deepEqual((decoded(bytes) as readonly Sexp[])[1], expected, `${letter} ${length}`)
      assert.deepEqual(bytes, encodeBanana([Buffer.from('unicode'), expected]))
    }
})

test('messages do not write over one another, nor does one that failed', () => {
  const bytes = Array.from({ length: 3000 }, (_, number) => {
    if (number % 7 === 0) assert.throws(() => encodeValue([`lost ${number}`, 'x'.repeat(700_000)], noObjects), /takes/)
    return encodeMessage(['message', number], [`text ${number}`.repeat(number % 50), [number]], noObjects)
  })
  for (const [number, one] of bytes.entries()) {
    const [, at, text, list] = decoded(one) as readonly Sexp[]
    assert.equal(at, number)
    assert.equal(unjelly(text!, nothing), `text ${number}`.repeat(number % 50))
    assert.deepEqual(unjelly(list!, nothing), [number])
  }
})

test('memory that is given back is written over, if nothing was written behind it', () => {
  const first = encodeValue('one', noObjects)
  giveBack(first)
  const second = encodeValue('two', noObjects)
  assert.equal(second.byteOffset, first.byteOffset)
  const third = encodeValue('three', noObjects)
  giveBack(second)
  encodeValue('four', noObjects)
  assert.equal(unjelly(decoded(second), nothing), 'two')
  assert.equal(unjelly(decoded(third), nothing), 'three')
})

test('keys of a dictionary are the same as bytes and as text', () => {
  const dictionary = read(['dictionary', ['who', ['unicode', 'jane']], [['unicode', 'when'], 1]]) as Map<string, Value>
  assert.deepEqual(
    [...dictionary],
    [
      ['who', 'jane'],
      ['when', 1],
    ],
  )
})

test('text that is no UTF-8 gets replacement characters, bytes stay', () => {
  assert.equal(read(['unicode', Buffer.from([0x61, 0xff])]), 'a\ufffd')
  assert.deepEqual(read(Buffer.from([0x61, 0xff])), Buffer.from([0x61, 0xff]))
})

test('what is told of again is the same object, also inside itself', () => {
  const pair = read(['tuple', ['reference', 1, ['list', 7]], ['dereference', 1]]) as Tuple
  assert.equal(pair.items[0], pair.items[1])
  const loop = read(['reference', 1, ['list', ['dereference', 1]]]) as Value[]
  assert.equal(loop[0], loop)
  const inTuple = read([
    'reference',
    3,
    [
      'tuple',
      [
        'dictionary',
        [
          ['unicode', 'me'],
          ['dereference', 3],
        ],
      ],
    ],
  ]) as Tuple
  assert.equal((inTuple.items[0] as Map<string, Value>).get('me'), inTuple)
  assert.throws(() => read(['dereference', 1]), /number 1/)
})

test('what holds itself is not sent', () => {
  const loop: Value[] = []
  loop.push(loop)
  assert.throws(() => encodeValue(loop, noObjects), /holds itself/)
})

test('objects are numbers of this side or the other', () => {
  const ours = new Referenceable({})
  assert.deepEqual(
    encodeValue([ours], () => 9),
    encodeBanana(['list', ['remote', 9]]),
  )
  const theirs = read(['remote', 4])
  assert.ok(theirs instanceof RemoteReference && theirs.luid === 4)
  assert.deepEqual(encodeValue(theirs, noObjects), encodeBanana(['local', 4]))
  assert.equal(unjelly(pass(['local', 5]), { ...nothing, local: () => ours }), ours)
})

test('a failure says what it is; one without parents is of its type alone', () => {
  const failure = new Failure({ type: 'a.B', message: 'no', traceback: 'here', parents: ['a.B', 'a.A'] })
  assert.deepEqual(passValue(failure), failure)
  const bare = read(['twisted.spread.pb.CopyableFailure', ['dictionary', [['unicode', 'type'], 'a.B']]])
  assert.deepEqual(bare, new Failure({ type: 'a.B', message: '' }))
  const old = ['instance', ['class', 'twisted.spread.pb.CopyableFailure'], ['dictionary', ['type', 'a.B']]]
  assert.deepEqual(read(old), new Failure({ type: 'a.B', message: '' }))
})

test('no tag makes an object of a class, a function or a module', () => {
  for (const sexp of [
    ['class', 'os.system'],
    ['function', 'os.system'],
    ['module', 'os'],
    ['instance', ['class', 'subprocess.Popen'], ['dictionary']],
    ['subprocess.Popen', ['dictionary']],
    ['persistent', 'x'],
    ['copy', 'a.B', ['dictionary']],
    ['constructor'],
    ['__proto__'],
    ['toString'],
    [[]],
    [],
  ])
    assert.throws(() => read(sexp), { name: 'JellyProblem' }, JSON.stringify(sexp))
})

test('names of prototypes are ordinary keys and texts', () => {
  const dictionary = read([
    'dictionary',
    [
      ['unicode', '__proto__'],
      ['dictionary', [['unicode', 'polluted'], 1]],
    ],
  ])
  assert.ok(dictionary instanceof Map && dictionary.has('__proto__'))
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('broken values fail alone', () => {
  for (const sexp of [
    ['unicode'],
    ['unicode', 1],
    ['boolean', 'maybe'],
    ['dictionary', 1],
    ['dictionary', ['a']],
    ['reference', 'x', ['list']],
    ['reference', 1],
    ['remote', 'x'],
    ['remote', -1.5],
    ['twisted.spread.pb.CopyableFailure', 1],
  ] as Sexp[])
    assert.throws(() => read(sexp), { name: 'JellyProblem' }, JSON.stringify(sexp))
})

test('dates and the like are kept as they came', () => {
  const sexp = ['datetime', '2026 11 21 0 0 0 0']
  assert.deepEqual(passed(read(sexp)), pass(sexp))
})

test('every value of every recording is read, and sent again means the same', () => {
  let count = 0
  for (const capture of pbCaptures())
    for (const dir of ['c2s', 's2c'] as const)
      for (const sexp of elementsOf(bytesOf(capture, dir)))
        for (const part of valuesOf(sexp)) {
          const value = unjelly(part, nothing)
          assert.deepEqual(unjelly(passed(value), home), value, capture.name)
          count++
        }
  assert.ok(count > 1000, `${count} values`)
})

/** An object of the other side comes back as one of this side: made the same again. */
const home: Incoming = { ...nothing, local: (luid) => nothing.remote(luid) as never }

function elementsOf(bytes: Uint8Array): Sexp[] {
  const found: Sexp[] = []
  createBananaDecoder(FRIEND, (element) => found.push(element)).push(bytes)
  return found
}

/** What stands jellied in a message of the broker. */
function valuesOf(sexp: Sexp): readonly Sexp[] {
  if (!Array.isArray(sexp)) return []
  const command = sexp[0] instanceof Uint8Array ? Buffer.from(sexp[0]).toString() : ''
  return command === 'message' ? sexp.slice(5) : command === 'answer' || command === 'error' ? sexp.slice(2) : []
}

test('copies are taken of classes that were named, in the new form and the old, and may hold themselves', () => {
  const copies: Incoming = { ...nothing, copies: (type) => type.startsWith('cvstoys.') }
  const state = ['dictionary', ['filename', 'lamp.c'], ['self', ['dereference', 1]]]
  const forms: readonly Sexp[] = [
    ['reference', 1, ['cvstoys.common.VersionedPatch', state]],
    ['reference', 1, ['instance', ['class', 'cvstoys.common.VersionedPatch'], state]],
  ]
  for (const form of forms) {
    const copy = unjelly(pass(form), copies)
    assert.ok(copy instanceof Copy && copy.type === 'cvstoys.common.VersionedPatch')
    assert.equal(copy.state.get('self'), copy)
    assert.throws(() => unjelly(pass(form), nothing), { name: 'JellyProblem' })
  }
  assert.throws(() => unjelly(pass(['os.system', ['dictionary']]), copies), { name: 'JellyProblem' })
  assert.throws(() => unjelly(pass(['cvstoys.common.VersionedPatch', ['list']]), copies), /has no fields/)
})
