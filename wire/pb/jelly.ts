import { writeBanana } from './banana-encoder.ts'
import { BananaWriter, type EncodeOptions, fixedString } from './banana-writer.ts'
import { JellyProblem } from './jelly-problem.ts'
import type { Sexp } from './sexp.ts'
import { type Dictionary, Failure, Opaque, Referenceable, RemoteReference, Tuple, type Value } from './values.ts'

/** Gives the number of an object of ours that is about to be sent. */
export type Expose = (object: Referenceable) => number

/** Containers within one another; deeper ones are taken for a container that holds itself. */
const DEEPEST = 100

/**
 * The bytes of a message: a list of what stands in front, as it is, and of values in the form that Perspective Broker has for them. They
 * are written as they are walked through, with nothing made in between: most of what is sent is text.
 * @throws JellyProblem when a value holds itself, or something that cannot be sent; PbProblem as `encodeBanana`.
 */
export function encodeMessage(
  front: readonly Sexp[],
  values: readonly Value[],
  expose: Expose,
  options: EncodeOptions = {},
): Buffer {
  const writer = new BananaWriter(options)
  writer.list(front.length + values.length)
  for (const sexp of front) writeBanana(writer, sexp)
  for (const value of values) write(writer, value, expose, 0)
  return writer.end()
}

/** The bytes of one value. @throws as `encodeMessage`. */
export function encodeValue(value: Value, expose: Expose, options: EncodeOptions = {}): Buffer {
  const writer = new BananaWriter(options)
  write(writer, value, expose, 0)
  return writer.end()
}

/** A dictionary of the entries that are there. */
export const dictionaryOf = (entries: Readonly<Record<string, Value | undefined>>): Dictionary =>
  new Map(Object.entries(entries).filter((entry): entry is [string, Value] => entry[1] !== undefined))

const UNICODE = fixedString('unicode')
const NONE = fixedString('None')
const BOOLEAN = fixedString('boolean')
const TRUE = fixedString('true')
const FALSE = fixedString('false')
const LIST = fixedString('list')
const TUPLE = fixedString('tuple')
const DICTIONARY = fixedString('dictionary')
const SET = fixedString('set')
const REMOTE = fixedString('remote')
const LOCAL = fixedString('local')
const FAILURE = fixedString('twisted.spread.pb.CopyableFailure')

function write(writer: BananaWriter, value: Value, expose: Expose, depth: number): void {
  if (typeof value === 'string') {
    writer.list(2)
    writer.fixed(UNICODE)
    writer.text(value)
  } else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) writer.integer(value)
    else writer.float(value)
  } else if (value === null) {
    writer.list(1)
    writer.fixed(NONE)
  } else if (typeof value === 'boolean') {
    writer.list(2)
    writer.fixed(BOOLEAN)
    writer.fixed(value ? TRUE : FALSE)
  } else if (typeof value === 'bigint') writer.integer(value)
  else if (value instanceof Uint8Array) writer.string(value)
  else if (value instanceof Referenceable) {
    writer.list(2)
    writer.fixed(REMOTE)
    writer.integer(expose(value))
  } else writeContainer(writer, value, expose, depth)
}

type Container = Exclude<Value, null | boolean | number | bigint | string | Uint8Array | Referenceable>

function writeContainer(writer: BananaWriter, value: Container, expose: Expose, depth: number): void {
  if (depth === DEEPEST) throw new JellyProblem('A value holds itself, or is nested too deep.')
  const all = (tag: typeof LIST, length: number, items: Iterable<Value>) => {
    writer.list(length + 1)
    writer.fixed(tag)
    for (const item of items) write(writer, item, expose, depth + 1)
  }
  if (Array.isArray(value)) all(LIST, value.length, value)
  else if (value instanceof Tuple) all(TUPLE, value.items.length, value.items)
  else if (value instanceof Set) all(SET, value.size, value)
  else if (value instanceof Map) {
    writer.list(value.size + 1)
    writer.fixed(DICTIONARY)
    for (const [key, item] of value) {
      writer.list(2)
      write(writer, key, expose, depth + 1)
      write(writer, item, expose, depth + 1)
    }
  } else if (value instanceof RemoteReference) writeLocal(writer, value)
  else if (value instanceof Failure) all(FAILURE, 1, [fieldsOf(value)])
  else if (value instanceof Opaque) {
    writer.list(value.parts.length + 1)
    writer.text(value.tag)
    for (const part of value.parts) writeBanana(writer, part as Sexp) // as it came
  } else throw new JellyProblem(`A ${typeof value} cannot be sent.`)
}

function writeLocal(writer: BananaWriter, { luid }: RemoteReference): void {
  writer.list(2)
  writer.fixed(LOCAL)
  writeBanana(writer, luid)
}

/** Real programs need these four; the type alone must be bytes. */
const fieldsOf = ({ type, message, traceback, parents }: Failure): Dictionary =>
  dictionaryOf({ type: Buffer.from(type), value: message, traceback, parents: [...parents] })
