import { durationMs, isJson, isSecretRef, listNames, suggest } from 'boltbot/plugin-sdk'
import { formerKey } from './former-names.ts'
import type { KeyPath } from './positions.ts'
import type { Report, Subject } from './report.ts'

/** What a value must be, or `undefined` when it is that: `text such as "full"`. */
export type Rule = (value: unknown) => string | undefined

export interface Field {
  readonly rule: Rule
  readonly required?: boolean
  /** Never shown in a message. */
  readonly hidden?: boolean
}
export type Fields = Readonly<Record<string, Field>>

/** Checks the keys of an object and the value behind each; true when it is an object at all. */
export function checkFields(
  report: Report,
  subject: Subject,
  path: KeyPath,
  value: unknown,
  fields: Fields,
): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) {
    report(subject, path, `It is ${show(value)}. Give an object with these keys: ${listNames(Object.keys(fields))}.`)
    return false
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(fields, key)) report(subject, [...path, key], unknownKey(key, Object.keys(fields)))
  }
  for (const [key, field] of Object.entries(fields)) {
    const given = value[key]
    if (given === undefined) {
      if (field.required) report(subject, [...path, key], `"${key}" is missing. Give ${field.rule(undefined)}.`)
      continue
    }
    const expected = field.rule(given)
    if (expected === undefined) continue
    report(subject, [...path, key], `"${key}" is ${field.hidden ? 'not right' : show(given)}. Give ${expected}.`)
  }
  return true
}

/** The sentence for a key nobody knows. */
export function unknownKey(key: string, known: readonly string[]): string {
  return formerKey(key, known) ?? `"${key}" is not a key here. ${knownNames(key, known)}`
}

/** `Did you mean "slaves"? Known: …` */
export function knownNames(given: string, known: Iterable<string>): string {
  const names = [...known]
  const near = suggest(given, names)
  return `${near === undefined ? '' : `Did you mean "${near}"? `}Known: ${listNames(names)}.`
}

export const text: Rule = (value) =>
  typeof value === 'string' && value.trim() !== '' ? undefined : 'text that is not empty'

/** Names go into logs, mails, chat and paths. */
export const name: Rule = (value) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  typeof value === 'string' && value.trim() === value && value !== '' && !/[\u0000-\u001f\u007f]/.test(value)
    ? undefined
    : 'a name: text without control characters and without spaces around it'

export const flag: Rule = (value) => (typeof value === 'boolean' ? undefined : 'true or false')

/** A function of the config. */
export const aFunction: Rule = (value) => (typeof value === 'function' ? undefined : 'a function')

export const flagOrFunction: Rule = (value) =>
  typeof value === 'boolean' || typeof value === 'function' ? undefined : 'true, false or a function'

export const count: Rule = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 1 ? undefined : 'a whole number, 1 or more'

export const duration: Rule = (value) =>
  (typeof value === 'number' || typeof value === 'string') && durationMs(value) !== undefined
    ? undefined
    : `a number of seconds, or text such as '90s', '5m' or '1h30m'`

export const textOrSecret: Rule = (value) =>
  isSecretRef(value) || text(value) === undefined ? undefined : `secret('name') or text that is not empty`

export const url: Rule = (value) =>
  typeof value === 'string' && URL.canParse(value) ? undefined : `a URL such as 'https://ci.example.org/'`

export const list: Rule = (value) => (Array.isArray(value) ? undefined : 'a list: [ … ]')

export const mailAddress: Rule = (value) =>
  typeof value === 'string' && /^[^\s<>,@]+@[^\s<>,@]+$/.test(value)
    ? undefined
    : `one mail address such as 'jane@example.org'`

/** Checked further by its own function. */
export const anything: Rule = () => undefined

export const jsonRecord: Rule = (value) => {
  if (!isRecord(value)) return 'an object of property names and values'
  const bad = Object.entries(value).find(([, item]) => !isJson(item))
  if (!bad) return undefined
  return `JSON values only (text, numbers, true, false, null, lists, plain objects): "${bad[0]}" is ${show(bad[1])}`
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Keys whose values nobody may see. */
export const isSecretKey = (key: string) => /pass|secret|token|key/i.test(key)

/** A value for a message, short and on one line, without passwords in it. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return `"${shorten(withoutPassword(value))}"`
  if (typeof value !== 'object' || value === null) return String(value)
  if (isSecretRef(value)) return `secret("${value.name}")`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  const { kind, name: named, id } = value as { kind?: unknown; name?: unknown; id?: unknown } // any object may be asked
  if (typeof kind === 'string') return `the ${kind}${typeof (named ?? id) === 'string' ? ` "${named ?? id}"` : ''}`
  const made = Object.getPrototypeOf(value)?.constructor?.name
  return made === undefined || made === 'Object' ? shorten(inJson(value)) : `a ${made}`
}

function inJson(value: object): string {
  try {
    return JSON.stringify(value, (key, item) => (typeof item === 'string' ? shownText(key, item) : item))
  } catch {
    return 'an object' // cycles, BigInt
  }
}

const shownText = (key: string, text: string) => (isSecretKey(key) ? '…' : withoutPassword(text))

/** Addresses may have one. */
const withoutPassword = (text: string) => text.replace(/(:\/\/[^/:@\s]*:)[^/\s]*@/g, '$1…@')

const shorten = (all: string) => {
  const line = all.replace(/\s+/g, ' ')
  return line.length > 80 ? `${line.slice(0, 77)}…` : line
}
