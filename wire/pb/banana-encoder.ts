import { SENDABLE } from './limits.ts'
import { PbProblem } from './pb-problem.ts'
import { BananaFloat, MAX_PREFIX, type Sexp, TYPE } from './sexp.ts'
import { wordNumber, wordNumberOfBytes } from './vocabulary.ts'

export interface EncodeOptions {
  /** Words of the vocabulary are sent by number: only once both ends speak dialect `pb`. Default true. */
  readonly vocabulary?: boolean
  /** Bytes of the longest string the other end takes; default 640 KiB, as the real programs. */
  readonly longest?: number
}

const MAX_INT = 0x7fffffff
const MIN_INT = -0x80000000
/** Lists within one another. */
const DEEPEST = 256

/** @throws PbProblem when a string is longer than the other end takes, or lists are nested too deep. */
export function encodeBanana(sexp: Sexp, options: EncodeOptions = {}): Buffer {
  const writer: Writer = {
    bytes: Buffer.allocUnsafe(512),
    at: 0,
    vocabulary: options.vocabulary ?? true,
    longest: options.longest ?? SENDABLE,
  }
  write(writer, sexp, 0)
  return writer.bytes.subarray(0, writer.at)
}

interface Writer {
  bytes: Buffer
  at: number
  readonly vocabulary: boolean
  readonly longest: number
}

function write(writer: Writer, sexp: Sexp, depth: number): void {
  if (typeof sexp === 'string') writeText(writer, sexp)
  else if (sexp instanceof Uint8Array) writeBytes(writer, sexp)
  else if (sexp instanceof BananaFloat) writeFloat(writer, sexp.value)
  else if (typeof sexp === 'bigint' || Number.isInteger(sexp)) writeInteger(writer, sexp as number | bigint)
  else if (typeof sexp === 'number') writeFloat(writer, sexp)
  else writeList(writer, sexp, depth)
}

function writeList(writer: Writer, items: readonly Sexp[], depth: number): void {
  if (depth === DEEPEST) throw new PbProblem('Lists are nested too deep.')
  room(writer, 16)
  head(writer, items.length, TYPE.list)
  for (const item of items) write(writer, item, depth + 1)
}

function writeText(writer: Writer, text: string): void {
  const word = writer.vocabulary ? wordNumber(text) : undefined
  if (word !== undefined) {
    writeWord(writer, word)
    return
  }
  openString(writer, Buffer.byteLength(text))
  writer.at += writer.bytes.write(text, writer.at)
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  const word = writer.vocabulary ? wordNumberOfBytes(bytes) : undefined
  if (word !== undefined) {
    writeWord(writer, word)
    return
  }
  openString(writer, bytes.length)
  writer.bytes.set(bytes, writer.at)
  writer.at += bytes.length
}

function openString(writer: Writer, length: number): void {
  if (length > writer.longest)
    throw new PbProblem(`A string has ${length} bytes; the other end takes ${writer.longest} at most.`)
  room(writer, length + 16)
  head(writer, length, TYPE.string)
}

function writeWord(writer: Writer, number: number): void {
  room(writer, 2)
  writer.bytes[writer.at++] = number
  writer.bytes[writer.at++] = TYPE.vocabulary
}

function writeFloat(writer: Writer, value: number): void {
  room(writer, 9)
  writer.bytes[writer.at++] = TYPE.float
  writer.at = writer.bytes.writeDoubleBE(value, writer.at)
}

function writeInteger(writer: Writer, value: number | bigint): void {
  room(writer, MAX_PREFIX + 1)
  if (value >= MIN_INT && value <= MAX_INT) {
    head(writer, Math.abs(Number(value)), value < 0 ? TYPE.negative : TYPE.int)
    return
  }
  let rest = value < 0 ? -BigInt(value) : BigInt(value)
  if (rest >= 1n << BigInt(7 * MAX_PREFIX)) throw new PbProblem('A number is too large.')
  for (; rest > 0n; rest >>= 7n) writer.bytes[writer.at++] = Number(rest & 0x7fn)
  writer.bytes[writer.at++] = value < 0 ? TYPE.longNegative : TYPE.longInt
}

function head(writer: Writer, prefix: number, type: number): void {
  let rest = prefix
  do {
    writer.bytes[writer.at++] = rest % 128
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  writer.bytes[writer.at++] = type
}

function room(writer: Writer, bytes: number): void {
  if (writer.at + bytes <= writer.bytes.length) return
  const larger = Buffer.allocUnsafe(Math.max(writer.bytes.length * 2, writer.at + bytes))
  writer.bytes.copy(larger, 0, 0, writer.at)
  writer.bytes = larger
}
