import type { BananaLimits } from './limits.ts'
import { PbProblem } from './pb-problem.ts'
import { BananaFloat, MAX_PREFIX, type Sexp, TYPE } from './sexp.ts'
import { createStringBody, type StringBody } from './string-body.ts'
import { wordBytes } from './vocabulary.ts'

export interface BananaDecoder {
  /** In force from the next element on. */
  limits: BananaLimits
  /**
   * Takes bytes as they come, in pieces of any size. `element` is told each element at the top as soon as it is whole, and how
   * many bytes it had. Strings are views of the bytes given: do not change those.
   * @throws PbProblem Nothing can be decoded after that.
   */
  push(bytes: Uint8Array): void
}

interface OpenList {
  readonly items: Sexp[]
  readonly length: number
}

const NONE = Buffer.alloc(0)

export function createBananaDecoder(limits: BananaLimits, element: (sexp: Sexp, bytes: number) => void): BananaDecoder {
  const open: OpenList[] = []
  /** The beginning of an element that is not whole: digits, or some bytes of a float. */
  let rest: Buffer = NONE
  let body: StringBody | undefined
  let messageBytes = 0
  let elements = 0

  const decoder: BananaDecoder = { limits, push }

  function push(bytes: Uint8Array): void {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const data = rest.length === 0 ? given : Buffer.concat([rest, given])
    rest = NONE
    let at = 0
    if (body !== undefined) {
      at = body.take(data, 0)
      count(at)
      if (!body.isWhole()) return
      const whole = body.bytes()
      body = undefined
      put(whole)
    }
    while (at < data.length) at = readElement(data, at)
  }

  /** Reads one element, or what is there of it; gives where the next begins. */
  function readElement(data: Buffer, start: number): number {
    let at = start
    while (at < data.length && data[at]! < 0x80) at++
    const digits = at - start
    if (digits > MAX_PREFIX) throw new PbProblem('A number has too many digits.')
    if (at === data.length) return keep(data, start)
    const type = data[at]!
    const next = at + 1
    if (type === TYPE.float) {
      if (digits > 0) throw new PbProblem('A float has a prefix.')
      if (next + 8 > data.length) return keep(data, start)
      count(9)
      put(new BananaFloat(data.readDoubleBE(next)))
      return next + 8
    }
    count(next - start)
    if (type === TYPE.string) return readString(data, next, prefix(data, start, at))
    if (type === TYPE.list) openList(prefix(data, start, at))
    else if (type === TYPE.vocabulary) put(word(prefix(data, start, at)))
    else if (type === TYPE.int || type === TYPE.longInt)
      put(digits < 8 ? prefix(data, start, at) : big(data, start, at))
    else if (type === TYPE.negative || type === TYPE.longNegative)
      put(digits < 8 ? 0 - prefix(data, start, at) : -big(data, start, at))
    else throw new PbProblem(`There is no element of type 0x${type.toString(16)}.`)
    return next
  }

  function readString(data: Buffer, at: number, length: number): number {
    if (length > decoder.limits.string) throw new PbProblem(`A string has ${length} bytes.`)
    const end = at + length
    if (end <= data.length) {
      count(length)
      put(data.subarray(at, end))
      return end
    }
    body = createStringBody(length)
    const taken = body.take(data, at)
    count(taken)
    return at + taken
  }

  function keep(data: Buffer, start: number): number {
    rest = Buffer.from(data.subarray(start)) // a copy of a few bytes, so that the read they came in is not kept
    return data.length
  }

  function openList(length: number): void {
    if (length > decoder.limits.list) throw new PbProblem(`A list has ${length} items.`)
    if (length === 0) {
      put([])
      return
    }
    if (open.length >= decoder.limits.depth) throw new PbProblem('Lists are nested too deep.')
    countElement()
    open.push({ items: [], length })
  }

  /** An element is whole; lists that it completes are then whole too. */
  function put(value: Sexp): void {
    countElement()
    let done = value
    for (let list = open.at(-1); list !== undefined; list = open.at(-1)) {
      list.items.push(done)
      if (list.items.length < list.length) return
      open.pop()
      done = list.items
    }
    const bytes = messageBytes
    messageBytes = 0
    elements = 0
    element(done, bytes)
  }

  function count(bytes: number): void {
    messageBytes += bytes
    if (messageBytes > decoder.limits.message)
      throw new PbProblem(`A message has more than ${decoder.limits.message} bytes.`)
  }

  function countElement(): void {
    if (++elements > decoder.limits.elements)
      throw new PbProblem(`A message has more than ${decoder.limits.elements} elements.`)
  }

  return decoder
}

/** A number of 7 bits a digit, the least first. Up to 7 digits it is exact. */
function prefix(data: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = end - 1; at >= start; at--) value = value * 128 + data[at]!
  return value
}

function big(data: Buffer, start: number, end: number): number | bigint {
  let value = 0n
  for (let at = end - 1; at >= start; at--) value = value * 128n + BigInt(data[at]!)
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

function word(number: number): Buffer {
  const bytes = wordBytes(number)
  if (bytes === undefined) throw new PbProblem(`The vocabulary has no word ${number}.`)
  return bytes
}
