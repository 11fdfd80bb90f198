import { SENDABLE } from './limits.ts'
import { PbProblem } from './pb-problem.ts'
import { MAX_PREFIX, TYPE } from './sexp.ts'
import { wordNumber, wordNumberOfBytes } from './vocabulary.ts'

export interface EncodeOptions {
  /** Words of the vocabulary are sent by number: only once both ends speak dialect `pb`. Default true. */
  readonly vocabulary?: boolean
  /** Bytes of the longest string the other end takes; default 640 KiB, as the real programs. */
  readonly longest?: number
}

/** A string that is written often: its bytes with length and type in front, as a word by number and without. */
export interface FixedString {
  readonly word: Uint8Array
  readonly plain: Uint8Array
}

/** Messages are written one behind the other into one piece of memory, each whole; a full one is left to those who still read it. */
const SLAB = 256 * 1024
/** A longer string gets memory of its own, so that little of a slab is wasted. */
const LARGE = SLAB / 4
/** What comes behind a large string is mostly little. */
const REST = 1024
/** Short texts are written letter by letter: that is faster than to ask for it. */
const SHORT = 24
const MAX_INT = 0x7fffffff
const MIN_INT = -0x80000000
/** Digits of the longest length that is written here, and the type. */
const HEAD = 6

let slab = Buffer.allocUnsafeSlow(SLAB)
let used = 0

/**
 * Writes one element and what is in it. Begin, write, end: there is one at a time, and one that failed on the way leaves nothing behind.
 */
export class BananaWriter {
  #bytes = slab
  #start = used
  #at = used
  readonly #vocabulary: boolean
  readonly #longest: number

  constructor({ vocabulary = true, longest = SENDABLE }: EncodeOptions) {
    this.#vocabulary = vocabulary
    this.#longest = longest
  }

  /** What was written. */
  end(): Buffer {
    if (this.#bytes === slab) used = this.#at
    return this.#bytes.subarray(this.#start, this.#at)
  }

  list(length: number): void {
    this.#room(HEAD)
    this.#head(length, TYPE.list)
  }

  fixed({ word, plain }: FixedString): void {
    const bytes = this.#vocabulary ? word : plain
    this.#room(bytes.length)
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#at++] = bytes[i]!
  }

  text(text: string): void {
    const word = this.#vocabulary ? wordNumber(text) : undefined
    if (word !== undefined) this.#word(word)
    else if (text.length < SHORT) this.#shortText(text)
    else this.#longText(text)
  }

  string(bytes: Uint8Array): void {
    const word = this.#vocabulary ? wordNumberOfBytes(bytes) : undefined
    if (word !== undefined) {
      this.#word(word)
      return
    }
    this.#check(bytes.length)
    this.#room(bytes.length + HEAD)
    this.#head(bytes.length, TYPE.string)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  float(value: number): void {
    this.#room(9)
    this.#bytes[this.#at++] = TYPE.float
    this.#at = this.#bytes.writeDoubleBE(value, this.#at)
  }

  integer(value: number | bigint): void {
    this.#room(MAX_PREFIX + 1)
    if (value >= MIN_INT && value <= MAX_INT) {
      this.#head(Math.abs(Number(value)), value < 0 ? TYPE.negative : TYPE.int)
      return
    }
    let rest = value < 0 ? -BigInt(value) : BigInt(value)
    if (rest >= 1n << BigInt(7 * MAX_PREFIX)) throw new PbProblem('A number is too large.')
    for (; rest > 0n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn)
    this.#bytes[this.#at++] = value < 0 ? TYPE.longNegative : TYPE.longInt
  }

  /** ASCII goes in as it is read; the first other letter has it begun anew. */
  #shortText(text: string): void {
    this.#room(3 * SHORT + HEAD)
    const bytes = this.#bytes
    const start = this.#at
    bytes[start] = text.length
    bytes[start + 1] = TYPE.string
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        this.#longText(text)
        return
      }
      bytes[start + 2 + i] = code
    }
    this.#at = start + 2 + text.length
  }

  #longText(text: string): void {
    const length = Buffer.byteLength(text)
    this.#check(length)
    this.#room(length + HEAD)
    this.#head(length, TYPE.string)
    this.#at += this.#bytes.write(text, this.#at, length)
  }

  #word(number: number): void {
    this.#room(2)
    this.#bytes[this.#at++] = number
    this.#bytes[this.#at++] = TYPE.vocabulary
  }

  #head(prefix: number, type: number): void {
    let rest = prefix
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = rest & 0x7f
    this.#bytes[this.#at++] = rest
    this.#bytes[this.#at++] = type
  }

  #check(length: number): void {
    if (length > this.#longest)
      throw new PbProblem(`A string has ${length} bytes; the other end takes ${this.#longest} at most.`)
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const written = this.#at - this.#start
    const needed = written + bytes
    const larger = Buffer.allocUnsafeSlow(needed > LARGE ? Math.max(needed + REST, 2 * written) : SLAB)
    this.#bytes.copy(larger, 0, this.#start, this.#at)
    if (larger.length === SLAB) slab = larger
    this.#bytes = larger
    this.#start = 0
    this.#at = written
  }
}

/** Nobody reads these bytes any more: what is written next may stand in their place. */
export function giveBack(bytes: Uint8Array): void {
  if (bytes.buffer === slab.buffer && bytes.byteOffset + bytes.length === used) used = bytes.byteOffset
}

/** @example const UNICODE = fixedString('unicode') */
export function fixedString(text: string): FixedString {
  const plain = Buffer.concat([Buffer.from([text.length, TYPE.string]), Buffer.from(text)])
  const number = wordNumber(text)
  return { plain, word: number === undefined ? plain : Buffer.from([number, TYPE.vocabulary]) }
}
