import { latin1, utf8 } from './bytes.ts'
import { JellyProblem } from './jelly-problem.ts'
import { BananaFloat, type Sexp } from './sexp.ts'
import {
  Copy,
  type Dictionary,
  Failure,
  Opaque,
  type Referenceable,
  type RemoteReference,
  Tuple,
  type Value,
} from './values.ts'

/** Whose numbers `remote` and `local` are. */
export interface Incoming {
  remote(luid: number): RemoteReference
  /** @throws JellyProblem when there is no such object. */
  local(luid: number): Referenceable
  /** Of which classes copies are taken, by dotted name; default: none. */
  readonly copies?: ((type: string) => boolean) | undefined
}

/**
 * A value from what Banana carried. Only tags of a fixed list are known, and none makes an object of a class.
 * @throws JellyProblem
 */
export function unjelly(sexp: Sexp, incoming: Incoming): Value {
  return decode(sexp, { incoming, shared: new Map() })
}

interface State {
  readonly incoming: Incoming
  /** Containers that are told of again, by number. They stand here before they are filled: they may hold themselves. */
  readonly shared: Map<number, Value>
}

type Container = (rest: readonly Sexp[], state: State, name?: number) => Value

function decode(sexp: Sexp, state: State, name?: number): Value {
  if (typeof sexp === 'number' || typeof sexp === 'bigint' || sexp instanceof Uint8Array) return sexp
  if (sexp instanceof BananaFloat) return sexp.value
  if (typeof sexp === 'string') return Buffer.from(sexp)
  const tag = sexp[0]
  if (!(tag instanceof Uint8Array)) throw new JellyProblem('A value has no tag.')
  if (isUnicode(tag)) return textOf(sexp[1], sexp.length)
  const text = latin1(tag, tag.length)
  const reader = READERS.get(text)
  if (reader === undefined && state.incoming.copies?.(text)) return copyOf(text, part(sexp, 1), state, name)
  if (reader === undefined) throw new JellyProblem(`Values of the kind "${text.slice(0, 100)}" are not taken.`)
  return reader(sexp, state, name)
}

const keep = <V extends Value>(value: V, state: State, name: number | undefined): V => {
  if (name !== undefined) state.shared.set(name, value)
  return value
}

const list: Container = (sexp, state, name) => fill(keep([] as Value[], state, name), sexp, state)

const tuple: Container = (sexp, state, name) => {
  const value = keep(new Tuple([]), state, name)
  fill(value.items, sexp, state)
  return value
}

const dictionary: Container = (sexp, state, name) => {
  const value: Dictionary = keep(new Map(), state, name)
  for (let at = 1; at < sexp.length; at++) {
    const pair = sexp[at]
    if (!Array.isArray(pair) || pair.length !== 2) throw new JellyProblem('A dictionary has an entry that is no pair.')
    const key = decode(pair[0], state)
    value.set(key instanceof Uint8Array ? utf8(key) : key, decode(pair[1], state))
  }
  return value
}

const set: Container = (sexp, state, name) => {
  const value = keep(new Set<Value>(), state, name)
  for (let at = 1; at < sexp.length; at++) value.add(decode(sexp[at]!, state))
  return value
}

const opaque =
  (tag: string): Container =>
  (sexp) =>
    new Opaque(tag, sexp.slice(1))

const failure: Container = (sexp, state) => {
  const fields = decode(part(sexp, 1), state)
  if (!(fields instanceof Map)) throw new JellyProblem('A failure has no fields.')
  const parents = fields.get('parents')
  const type = looseText(fields.get('type')) || 'unknown'
  return new Failure({
    type,
    message: looseText(fields.get('value')),
    traceback: looseText(fields.get('traceback')),
    parents: Array.isArray(parents) ? parents.map(looseText) : [type],
  })
}

const FAILURE = 'twisted.spread.pb.CopyableFailure'

const READERS: ReadonlyMap<string, Container> = new Map<string, Container>([
  ['None', () => null],
  ['boolean', (sexp) => booleanOf(sexp)],
  ['list', list],
  ['tuple', tuple],
  ['dictionary', dictionary],
  ['set', set],
  ['frozenset', set],
  ['reference', (sexp, state) => decode(part(sexp, 2), state, luidOf(sexp))],
  ['dereference', (sexp, state) => known(state, luidOf(sexp))],
  ['remote', (sexp, state) => state.incoming.remote(luidOf(sexp))],
  ['local', (sexp, state) => state.incoming.local(luidOf(sexp))],
  ['unpersistable', () => null],
  ...['datetime', 'date', 'time', 'timedelta', 'decimal'].map((tag) => [tag, opaque(tag)] as const),
  [FAILURE, failure],
  // The form of old Twisted: (instance (class "…") state).
  ['instance', (sexp, state, name) => instance(sexp, state, name)],
])

function instance(sexp: readonly Sexp[], state: State, luid: number | undefined): Value {
  const kind = part(sexp, 1)
  const name = Array.isArray(kind) && kind[1] instanceof Uint8Array ? utf8(kind[1]) : ''
  if (name !== FAILURE && state.incoming.copies?.(name)) return copyOf(name, part(sexp, 2), state, luid)
  if (name !== FAILURE) throw new JellyProblem(`Objects of the class "${name.slice(0, 100)}" are not taken.`)
  return failure([kind, part(sexp, 2)], state)
}

function copyOf(type: string, fields: Sexp, state: State, name: number | undefined): Copy {
  const copy = keep(new Copy(type, new Map()), state, name)
  const held = decode(fields, state)
  if (!(held instanceof Map)) throw new JellyProblem(`A copy of "${type.slice(0, 100)}" has no fields.`)
  for (const [key, value] of held) copy.state.set(key, value)
  return copy
}

function fill(items: Value[], sexp: readonly Sexp[], state: State): Value[] {
  for (let at = 1; at < sexp.length; at++) items.push(decode(sexp[at]!, state))
  return items
}

function textOf(bytes: Sexp | undefined, length: number): string {
  if (length !== 2 || !(bytes instanceof Uint8Array)) throw new JellyProblem('A text has no bytes.')
  return utf8(bytes)
}

function booleanOf(sexp: readonly Sexp[]): boolean {
  const word = sexp[1] instanceof Uint8Array ? utf8(sexp[1]) : ''
  if (word !== 'true' && word !== 'false') throw new JellyProblem('A boolean is neither true nor false.')
  return word === 'true'
}

function known(state: State, name: number): Value {
  const value = state.shared.get(name)
  if (value === undefined) throw new JellyProblem(`Nothing was given the number ${name}.`)
  return value
}

function luidOf(sexp: readonly Sexp[]): number {
  const luid = sexp[1]
  if (!Number.isSafeInteger(luid)) throw new JellyProblem('A reference has no number.')
  return luid as number // a safe integer is a number
}

function part(sexp: readonly Sexp[], at: number): Sexp {
  const found = sexp[at]
  if (found === undefined) throw new JellyProblem('A value ends too early.')
  return found
}

function looseText(value: Value | undefined): string {
  return typeof value === 'string' ? value : value instanceof Uint8Array ? utf8(value) : ''
}

/** Most values are texts, and their tag is no word of the vocabulary. */
function isUnicode(tag: Uint8Array): boolean {
  return (
    tag.length === 7 &&
    tag[0] === 0x75 &&
    tag[1] === 0x6e &&
    tag[2] === 0x69 &&
    tag[3] === 0x63 &&
    tag[4] === 0x6f &&
    tag[5] === 0x64 &&
    tag[6] === 0x65
  )
}
