import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBananaDecoder } from '../../../wire/pb/banana-decoder.ts'
import { encodeBanana } from '../../../wire/pb/banana-encoder.ts'
import { type BananaLimits, FRIEND, STRANGER } from '../../../wire/pb/limits.ts'
import { BananaFloat, type Sexp } from '../../../wire/pb/sexp.ts'
import { bytesOf, pbCaptures } from './captures.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

function decodeAll(bytes: Uint8Array, cut: (left: number) => number = (left) => left, limits = FRIEND): Sexp[] {
  const found: Sexp[] = []
  const decoder = createBananaDecoder(limits, (sexp) => found.push(sexp))
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, cut(bytes.length - at))
    decoder.push(bytes.subarray(at, at + size))
    at += size
  }
  return found
}

test('numbers and strings have the bytes of the real programs', () => {
  const table: readonly (readonly [Sexp, string])[] = [
    [0, '0081'],
    [1, '0181'],
    [127, '7f81'],
    [128, '000181'],
    [300, '2c0281'],
    [-1, '0183'],
    [2147483647, '7f7f7f7f0781'],
    [2147483648, '000000000885'],
    [-2147483648, '000000000883'],
    [-2147483649, '010000000886'],
    [new BananaFloat(1.5), '843ff8000000000000'],
    [Buffer.alloc(0), '0082'],
    [Buffer.from('hello'), '058268656c6c6f'],
    [[], '0080'],
    [Buffer.from('message'), '1a87'],
  ]
  for (const [value, bytes] of table) {
    assert.deepEqual(encodeBanana(value).toString('hex'), bytes)
    assert.deepEqual(decodeAll(hex(bytes)), [value])
  }
})

test('a number without digits is zero, and words of the vocabulary may be spelled out', () => {
  assert.deepEqual(decodeAll(hex('81')), [0])
  assert.deepEqual(encodeBanana('message', { vocabulary: false }), hex('07826d657373616765'))
  assert.deepEqual(encodeBanana('message'), hex('1a87'))
})

const sexps = fc.letrec<{ sexp: Sexp }>((tie) => ({
  sexp: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 448n) + 1n, max: 2n ** 448n - 1n }).map((n) => (isSafe(n) ? Number(n) : n)),
    fc.double({ noNaN: true }).map((value) => new BananaFloat(value)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('message', 'None', 'list', 'error').map((word) => Buffer.from(word)),
    fc.array(tie('sexp'), { maxLength: 6 }),
  ),
})).sexp

const isSafe = (n: bigint) => n >= Number.MIN_SAFE_INTEGER && n <= Number.MAX_SAFE_INTEGER

test('what is encoded is decoded, in one piece and in any pieces', () => {
  fc.assert(
    fc.property(
      fc.array(sexps, { maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      (all, vocabulary, size) => {
        const bytes = Buffer.concat(all.map((sexp) => encodeBanana(sexp, { vocabulary })))
        const expected = all.map(normal)
        assert.deepEqual(decodeAll(bytes), expected)
        assert.deepEqual(
          decodeAll(bytes, () => size),
          expected,
        )
      },
    ),
    { numRuns: 500 },
  )
})

/** -0 and 0 have the same bytes. */
const normal = (sexp: Sexp): Sexp => (sexp === 0 ? 0 : Array.isArray(sexp) ? sexp.map(normal) : sexp)

test('every recording is decoded whole, and encoded again to the same bytes', () => {
  for (const capture of pbCaptures())
    for (const dir of ['c2s', 's2c'] as const) {
      const bytes = bytesOf(capture, dir)
      const sexps = decodeAll(bytes)
      const again = Buffer.concat(sexps.map((sexp) => encodeBanana(sexp)))
      assert.ok(again.equals(bytes), `${capture.name} ${dir}`)
      assert.deepEqual(
        decodeAll(bytes, () => 7),
        sexps,
        `${capture.name} ${dir} in pieces`,
      )
    }
})

test('a long string in many pieces is one string', () => {
  const long = Buffer.alloc(300_000, 'x')
  assert.deepEqual(
    decodeAll(encodeBanana(long), () => 1000),
    [long],
  )
})

test('what the other end does not take is not sent', () => {
  assert.doesNotThrow(() => encodeBanana(Buffer.alloc(655_360)))
  assert.throws(() => encodeBanana(Buffer.alloc(655_361)), /655361 bytes/)
  assert.throws(() => encodeBanana(2n ** 448n), /too large/)
})

test('each limit ends the decoding', () => {
  const small: BananaLimits = { string: 10, list: 4, depth: 3, message: 30, elements: 8 }
  const decode = (text: string) => decodeAll(hex(text), undefined, small)
  assert.throws(() => decode('0b82'), /string has 11 bytes/)
  assert.throws(() => decode('0580'), /list has 5 items/)
  assert.throws(() => decode('0180 0180 0180 0180 0081'), /nested too deep/)
  assert.throws(() => decode(`0480 ${'0882 6162636461626364'.repeat(3)}`), /more than 30 bytes/)
  assert.throws(() => decode('0480 0480 0181 0181 0181 0181 0480 0181 0181 0181'), /more than 8 elements/)
  assert.throws(() => decode(`${'01'.repeat(65)}81`), /too many digits/)
  assert.throws(() => decode('88'), /no element of type 0x88/)
  assert.throws(() => decode('2087'), /no word 32/)
  assert.throws(() => decode('0087'), /no word 0/)
  assert.throws(() => decode('0184 0000000000000000'), /prefix/)
})

test('digits without end are not gathered', () => {
  const decoder = createBananaDecoder(STRANGER, () => assert.fail('no element is whole'))
  decoder.push(Buffer.alloc(60, 1))
  assert.throws(() => decoder.push(Buffer.alloc(60, 1)), /too many digits/)
})

test('limits hold for each message alone', () => {
  const small: BananaLimits = { string: 10, list: 4, depth: 3, message: 30, elements: 3 }
  assert.equal(decodeAll(hex('0280 0181 0181'.repeat(50)), undefined, small).length, 50)
})
