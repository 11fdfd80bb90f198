import { JellyProblem } from './jelly-problem.ts'
import { BananaFloat, type Sexp } from './sexp.ts'
import { type Dictionary, Failure, Opaque, Referenceable, RemoteReference, Tuple, type Value } from './values.ts'

/** Containers within one another; deeper ones are taken for a container that holds itself. */
const DEEPEST = 100

/**
 * What Banana carries for a value. `expose` gives the number of an object of ours.
 * @throws JellyProblem when the value holds itself, or something that cannot be sent.
 */
export function jelly(value: Value, expose: (object: Referenceable) => number, depth = 0): Sexp {
  if (typeof value === 'string') return ['unicode', value]
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : new BananaFloat(value)
  if (typeof value === 'bigint' || value instanceof Uint8Array) return value
  if (value === null) return NONE
  if (typeof value === 'boolean') return value ? TRUE : FALSE
  if (depth === DEEPEST) throw new JellyProblem('A value holds itself, or is nested too deep.')
  const inner = (item: Value) => jelly(item, expose, depth + 1)
  if (Array.isArray(value)) return ['list', ...value.map(inner)]
  if (value instanceof Tuple) return ['tuple', ...value.items.map(inner)]
  if (value instanceof Map) return ['dictionary', ...[...value].map(([key, item]) => [inner(key), inner(item)])]
  if (value instanceof Set) return ['set', ...[...value].map(inner)]
  if (value instanceof Referenceable) return ['remote', expose(value)]
  if (value instanceof RemoteReference) return ['local', value.luid]
  if (value instanceof Failure) return failure(value, inner)
  if (value instanceof Opaque) return [value.tag, ...(value.parts as readonly Sexp[])] // as it came
  throw new JellyProblem(`A ${typeof value} cannot be sent.`)
}

/** A dictionary of the entries that are there. */
export const dictionaryOf = (entries: Readonly<Record<string, Value | undefined>>): Dictionary =>
  new Map(Object.entries(entries).filter((entry): entry is [string, Value] => entry[1] !== undefined))

const NONE: Sexp = ['None']
const TRUE: Sexp = ['boolean', 'true']
const FALSE: Sexp = ['boolean', 'false']

/** Real programs need these four; the type alone must be bytes. */
function failure({ type, message, traceback, parents }: Failure, inner: (item: Value) => Sexp): Sexp {
  const fields = dictionaryOf({ type: Buffer.from(type), value: message, traceback, parents: [...parents] })
  return ['twisted.spread.pb.CopyableFailure', inner(fields)]
}
