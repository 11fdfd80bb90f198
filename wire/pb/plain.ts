import { utf8 } from './bytes.ts'
import { type Dictionary, Tuple, type Value } from './values.ts'

/** Text, also from old programs that send it as bytes. `undefined` when it is something else. */
export function textOf(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? utf8(value) : undefined
}

/** As `textOf`; `None`, and what is no text, is `null`. */
export const textOrNull = (value: Value | undefined): string | null => textOf(value) ?? null

/** The items of a list or tuple; nothing for anything else. */
export function itemsOf(value: Value | undefined): readonly Value[] {
  if (value instanceof Tuple) return value.items
  return Array.isArray(value) ? value : []
}

/** A list of texts; what is no text in it is left out. */
export const textsOf = (value: Value | undefined): readonly string[] =>
  itemsOf(value).flatMap((item) => textOf(item) ?? [])

export const dictionaryOrNone = (value: Value | undefined): Dictionary => (value instanceof Map ? value : new Map())

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain }

/** Plain data as it travels. */
export function fromPlain(plain: Plain): Value {
  if (typeof plain !== 'object' || plain === null) return plain
  if (isList(plain)) return plain.map(fromPlain)
  return new Map(Object.entries(plain).map(([key, inner]) => [key, fromPlain(inner)]))
}

const isList = (plain: Plain): plain is readonly Plain[] => Array.isArray(plain)

/** Values within a value that are taken at most: one that holds another many times over would grow without bound. */
const MOST = 10_000

/** Data as JSON has it; `undefined` when it holds anything else, or too much. */
export function plainOf(value: Value): Plain | undefined {
  let left = MOST
  const walk = (item: Value): Plain | undefined => {
    if (--left < 0) return undefined
    if (item === null || typeof item === 'boolean') return item
    if (typeof item === 'number') return Number.isFinite(item) ? item : undefined
    const text = textOf(item)
    if (text !== undefined) return text
    if (Array.isArray(item) || item instanceof Tuple) return allOf(itemsOf(item).map(walk))
    if (!(item instanceof Map)) return undefined
    const entries = [...item].map(([key, inner]) => [textOf(key), walk(inner)] as const)
    if (entries.some(([key, inner]) => key === undefined || inner === undefined)) return undefined
    return Object.fromEntries(entries as [string, Plain][]) // looked at above
  }
  return walk(value)
}

const allOf = (items: readonly (Plain | undefined)[]): Plain | undefined =>
  items.includes(undefined) ? undefined : (items as readonly Plain[]) // looked at just before
